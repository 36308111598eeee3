#!/usr/bin/env bash
# install-dependencies.sh [build | test | lint]: installs the Debian packages that a task needs and this machine lacks.
set -euo pipefail

task=${1:-build}
case $task in
    build) packages=(
        "g++: the C++ library and linker that Swift's clang uses"
        "librocksdb-dev: storage"
        "librdkafka-dev: change events to Kafka"
        "libcurl4-openssl-dev: webhooks"
        "libmicrohttpd-dev: metrics over HTTP"
        "libssl-dev: signatures of webhooks"
        "libnghttp2-dev: the gRPC server"
        "zlib1g-dev: compressed requests"
        "libgrpc-dev: the gRPC client"
        "libgrpc++-dev: the gRPC client"
        "libprotobuf-dev: messages"
        "protobuf-compiler: messages"
        "libabsl-dev: needed by gRPC"
        "nlohmann-json3-dev: JSON payloads"
        "libpq-dev: changes into PostgreSQL"
        "libroaring-dev: bitmaps of filters"
        "libxxhash-dev: checksums") ;;
    test) packages=(
        "python3-venv: the Python client's test"
        "openssl: a certificate for the webhooks' tests"
        "kcat: reads the topics, as operators do"
        "postgresql: the tests of changes into PostgreSQL") ;;
    lint) packages=(
        "shellcheck: checks the scripts"
        "protobuf-compiler: checks the protos"
        "python3: checks the Python example"
        "python3-yaml: reads the AsyncAPI document") ;;
    *)
        echo "usage: $0 [build | test | lint]" >&2
        exit 2
        ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "This machine has no dpkg: install what these Debian packages hold, then run the steps of the Makefile by hand:" >&2
    printf '  %s\n' "${packages[@]}" >&2
    exit 1
fi

# dpkg-query fails where it does not know a package: that one is missing then.
installed=$(dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' "${packages[@]%%:*}" 2>/dev/null |
    sed -n 's/^ii *//p' || true)
missing=()
reasons=""
for package in "${packages[@]}"; do
    if ! grep -qxF "${package%%:*}" <<<"$installed"; then
        missing+=("${package%%:*}")
        reasons+="${reasons:+, }${package%%:*} (${package#*: })"
    fi
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        echo "Needed: $reasons. Run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "Installing with apt: $reasons"
"${as_root[@]}" apt-get update --quiet --quiet
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes --no-install-recommends "${missing[@]}"
