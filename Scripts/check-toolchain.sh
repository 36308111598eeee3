#!/usr/bin/env bash
# Says in one line what to do where there is no Swift compiler, or an old one.
set -euo pipefail

advice="install Swift 6.2 or later from https://www.swift.org/install/linux/ and put it on your PATH."
if ! command -v swift >/dev/null; then
    echo "Kith is written in Swift, and there is no swift here: $advice" >&2
    exit 1
fi
version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
if [[ $(printf '%s\n' 6.2 "$version" | sort -V | head -n 1) != 6.2 ]]; then
    echo "Swift ${version:-of an unknown version} is too old for Kith: $advice" >&2
    exit 1
fi
