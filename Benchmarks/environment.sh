#!/usr/bin/env bash
# environment.sh [SET]: makes .build/benchmarks/python, a virtual environment with the packages of requirements.txt, or .build/benchmarks/SET with those of
# requirements-SET.txt. Done once for each version of that file.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=Benchmarks/requirements${1:+-$1}.txt
environment=.build/benchmarks/${1:-python}
# Copied last: an interrupted run leaves no copy, and starts again.
done=$environment/requirements.txt
if cmp --silent "$requirements" "$done"; then
    exit 0
fi
echo "Making $environment with $(grep -c '^[^#]' "$requirements") Python packages of $requirements"
rm -rf "$environment"
mkdir -p "${environment%/*}"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
cp "$requirements" "$done"
