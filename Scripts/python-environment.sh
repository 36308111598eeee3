#!/usr/bin/env bash
# Makes .build/python, a virtual environment with what the Python examples and the tests need. Done once for each requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=(Examples/python/requirements.txt Tests/requirements.txt)
environment=.build/python
# Copied last: an interrupted run leaves no copy, and starts again.
done=$environment/requirements.txt
if cat "${requirements[@]}" | cmp --silent - "$done"; then
    exit 0
fi
echo "Making $environment with $(cat "${requirements[@]}" | grep -c '^[^#]') Python packages of ${requirements[*]}"
rm -rf "$environment"
mkdir -p "${environment%/*}"
python3 -m venv "$environment"
"$environment/bin/pip" install --quiet --disable-pip-version-check "${requirements[@]/#/--requirement=}"
cat "${requirements[@]}" >"$done"
