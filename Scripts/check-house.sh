#!/usr/bin/env bash
# The house rules that a machine can check. Prints each breach as file:line: what.
set -euo pipefail
cd "$(dirname "$0")/.."

breaches=0

# Reads breaches, one a line.
report() {
    local line
    while IFS= read -r line; do
        echo "$line"
        breaches=$((breaches + 1))
    done
}

# Files of the project, those not yet committed too, none that git ignores or that are gone.
mapfile -t files < <(git ls-files --cached --others --exclude-standard | while IFS= read -r file; do
    [[ -f $file ]] && echo "$file"
done)

# select_files REGEX: files whose path matches.
select_files() {
    printf '%s\n' "${files[@]}" | grep -E "$1" || true
}
mapfile -t sources < <(select_files '^Sources/.*\.(swift|c|cpp|h)$')
mapfile -t protos < <(select_files '^Protos/.*\.proto$')
mapfile -t pages < <(select_files '\.md$')
# Data and licences are as they came.
mapfile -t texts < <(select_files '\.(swift|c|cpp|h|proto|md|sh|py|yaml|yml|json|txt|sample|service)$' |
    grep -vE '^Examples/dictionary/')

# A file has one reason to exist: past 500 lines it has two.
report < <(awk 'FNR == 501 { print FILENAME ":501: more than 500 lines" }' "${sources[@]}")

report < <(grep -nE $'\t' "${texts[@]}" /dev/null | sed -E 's/^([^:]+:[0-9]+):.*/\1: tab/' || true)

# Work is done or it is an issue.
report < <(grep -nE '\b(TO''DO|FIX''ME|XX''X)\b' "${texts[@]}" Makefile | sed -E 's/^([^:]+:[0-9]+):/\1: unfinished:/' || true)

# Paths of one machine mean nothing on the next.
report < <(grep -nE '(^|[^[:alnum:]_.-])/(work|home|root|Users)/' "${texts[@]}" Makefile |
    sed -E 's/^([^:]+:[0-9]+):/\1: path of a machine:/' || true)

# Every message, field, enum, value, service and method of the public protos is documented on the line above.
report < <(awk '
    FNR == 1 { documented = 0 }
    /^ *\/\// { documented = 1; next }
    /^ *(message|enum|service|rpc|oneof) / || /^ *[A-Za-z][A-Za-z0-9_.<>, ]* = [0-9]+( \[.*\])?;/ {
        if (!documented) print FILENAME ":" FNR ": no comment above " $0
    }
    { documented = 0 }' "${protos[@]}")

# Links between pages lead somewhere.
for page in "${pages[@]}"; do
    while IFS= read -r link; do
        target=${link#*](}
        target=${target%%[)#]*}
        if [[ -n $target && ! -e $(dirname "$page")/$target ]]; then
            report <<<"$page:${link%%:*}: dead link: $target"
        fi
    done < <(grep -noE '\]\([^)[:space:]]+\)' "$page" | grep -vE '\]\((https?:|mailto:)' || true)
done

if ((breaches)); then
    echo "$breaches breaches of the house rules" >&2
    exit 1
fi
