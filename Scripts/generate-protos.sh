#!/bin/sh
# Compiles Protos/ into Sources/CGRPCShim/Generated. Files that did not change keep their time, so that nothing is rebuilt for
# them; files whose proto is gone are deleted. Says only what it changed.
set -eu
cd "$(dirname "$0")/.."

generated=Sources/CGRPCShim/Generated
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

find Protos -name '*.proto' | sort | xargs protoc --proto_path=Protos --cpp_out="$fresh"
mkdir -p "$generated"

(cd "$fresh" && find . -type f) | sort | while read -r file; do
    if ! cmp -s "$fresh/$file" "$generated/$file"; then
        mkdir -p "$(dirname "$generated/$file")"
        cp "$fresh/$file" "$generated/$file"
        echo "generated ${file#./}"
    fi
done

(cd "$generated" && find . -type f) | sort | while read -r file; do
    if [ ! -e "$fresh/$file" ]; then
        rm "$generated/$file"
        echo "deleted ${file#./}"
    fi
done
find "$generated" -mindepth 1 -type d -empty -delete
