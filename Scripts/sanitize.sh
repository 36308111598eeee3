#!/usr/bin/env bash
# The unit tests under the thread and the address sanitizer, a process a module: so memory stays bounded, each module says how it
# ended, and a crash in one does not hide the others. Names of sanitizers (thread, address) or of test modules choose some.
set -euo pipefail
cd "$(dirname "$0")/.."

# Of each module; what runs past it is taken to hang.
module_limit=30m

sanitizers=()
modules=()
for name in "$@"; do
    case $name in
    thread | address) sanitizers+=("$name") ;;
    *) modules+=("$name") ;;
    esac
done
[[ ${#sanitizers[@]} -gt 0 ]] || sanitizers=(thread address)
# Not those that start the built binaries: they test processes, and wait for them as long as an uninstrumented one needs.
if [[ ${#modules[@]} -eq 0 ]]; then
    for folder in Tests/*Tests; do
        case ${folder#Tests/} in
        IntegrationTests | FaultTests | KithBenchmarksTests) ;;
        *) modules+=("${folder#Tests/}") ;;
        esac
    done
fi

# options SANITIZER REPORTS: what the sanitizer is told. Reports go to files, for tests print too; all are collected before it fails.
options() {
    local common="log_path=$2 exitcode=66"
    case $1 in
    thread) echo "$common halt_on_error=0 suppressions=$PWD/Scripts/thread-sanitizer.supp ${TSAN_OPTIONS:-}" ;;
    address) echo "$common detect_leaks=0 ${ASAN_OPTIONS:-}" ;;
    esac
}

# run_module SANITIZER SCRATCH MODULE: runs its tests; adds to `passed` and `failed`.
run_module() {
    local sanitizer=$1 scratch=$2 module=$3 started=$SECONDS status=0 count reports
    local folder="$scratch/reports/$module"
    local tests=("$scratch/release/kithPackageTests.xctest" --testing-library swift-testing --filter "^$module\\.")
    rm -rf "$folder"
    mkdir -p "$folder"
    # Every collection reserves its address space, and the thread sanitizer leaves little: one test at a time.
    [[ $sanitizer == address ]] || tests=(env LD_PRELOAD="$PWD/$scratch/unseen.so" "${tests[@]}" --no-parallel)
    TSAN_OPTIONS=$(options thread "$PWD/$folder/report") ASAN_OPTIONS=$(options address "$PWD/$folder/report") \
        timeout "$module_limit" "${tests[@]}" >"$folder/output" 2>&1 || status=$?
    count=$(sed -nE 's/.*Test run with ([0-9]+) tests? .*passed after.*/\1/p' "$folder/output")
    reports=$(find "$folder" -name 'report*' -size +0 | sort)
    if [[ $status -eq 0 && -n $count && -z $reports ]]; then
        echo "ok    $sanitizer $module: $count tests in $((SECONDS - started)) s"
        passed=$((passed + count))
        return
    fi
    failed=$((failed + 1))
    echo "FAIL  $sanitizer $module: exit status $status after $((SECONDS - started)) s; see $folder"
    grep -hE 'recorded an issue|SUMMARY: |Fatal error' "$folder"/* | sort | uniq -c | sort -rn | head -40 | sed 's/^/      /' || true
    tail -n 3 "$folder/output" | sed 's/^/      /'
}

status=0
for sanitizer in "${sanitizers[@]}"; do
    scratch=.build/${sanitizer:0:1}san
    started=$SECONDS
    # `swift build` cannot build tests as `swift test` does, without testable imports; so the smallest module runs along. XCTest leaks.
    ASAN_OPTIONS="detect_leaks=0 ${ASAN_OPTIONS:-}" swift test -c release --disable-testable-imports --sanitize "$sanitizer" --scratch-path "$scratch" \
        --filter '^KithTelemetryTests\.'
    [[ $sanitizer == address ]] ||
        clang -O2 -Wall -Werror -shared -fPIC -o "$scratch/unseen.so" Scripts/thread-sanitizer.c
    echo "built for the $sanitizer sanitizer in $((SECONDS - started)) s"
    passed=0
    failed=0
    for module in "${modules[@]}"; do run_module "$sanitizer" "$scratch" "$module"; done
    if [[ $failed -eq 0 ]]; then
        echo "The $sanitizer sanitizer: $passed tests in ${#modules[@]} modules passed, no reports."
    else
        echo "The $sanitizer sanitizer: $failed of ${#modules[@]} modules FAILED; $passed tests in the others passed."
        status=1
    fi
done
exit "$status"
