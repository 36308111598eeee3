#!/usr/bin/env bash
# Everything that can be checked without running the product. Every check runs; any failure fails the whole.
# shellcheck disable=SC2317 # check calls the functions by name
set -uo pipefail
cd "$(dirname "$0")/.." || exit

failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check NAME COMMAND...: runs a command, and shows what it printed only where it failed.
check() {
    local name=$1
    shift
    if "$@" >"$scratch/output" 2>&1; then
        echo "ok    $name"
    else
        failed=1
        echo "FAIL  $name"
        sed 's/^/      /' "$scratch/output"
    fi
}

# check_with TOOL NAME COMMAND...: the same, where the tool is there.
check_with() {
    local tool=$1
    shift
    if command -v "$tool" >/dev/null; then
        check "$@"
    else
        echo "skip  $1: no $tool on the PATH"
    fi
}

compile_protos() {
    find Protos -name '*.proto' -print0 | xargs -0 protoc --proto_path=Protos --descriptor_set_out=/dev/null
}

compile_python() {
    PYTHONPYCACHEPREFIX=$scratch python3 -m compileall -q Examples/python
}

# The chart with its defaults, and with everything on.
lint_chart() {
    helm lint --strict Helm/kith && helm lint --strict Helm/kith --values Helm/kith/ci/everything-values.yaml
}

# KUBERNETES_SCHEMAS may name a copy of the schemas, as kubeconform's -schema-location; else it fetches them.
validate_chart() {
    local values
    for values in Helm/kith/values.yaml Helm/kith/ci/*-values.yaml; do
        helm template release Helm/kith --values "$values" |
            kubeconform -strict -summary -kubernetes-version 1.34.0 -schema-location "${KUBERNETES_SCHEMAS:-default}" - ||
            return 1
    done
}

check "house rules" Scripts/check-house.sh
check "swift format" swift format lint --strict --recursive --parallel Package.swift Sources Tests
check "shell scripts" shellcheck Scripts/*.sh .ci/run
check "protos" compile_protos
check "python" compile_python
check "AsyncAPI" Scripts/check-asyncapi.py
check_with hadolint "Dockerfile" hadolint Deploy/Dockerfile
check_with helm "Helm chart" lint_chart
check_with kubeconform "Kubernetes objects" validate_chart
exit "$failed"
