#!/bin/sh
# Writes the definition of KVTenant, made from the types in operator/api, to where it is installed from.
#   crds/generate.sh          writes both files
#   crds/generate.sh --check  only says whether they are up to date
set -eu
cd "$(dirname "$0")/.."

files="crds/kvtenants.kvtenant.io.yaml charts/kvtenant-crds/templates/kvtenants.kvtenant.io.yaml"
fresh=$(mktemp)
trap 'rm -f "$fresh"' EXIT
.ci/program kvtenant-operator crd > "$fresh"

case "${1:-}" in
"")
    for file in $files; do
        mkdir -p "$(dirname "$file")"
        cp "$fresh" "$file"
        chmod 644 "$file"
    done
    ;;
--check)
    for file in $files; do
        if ! cmp -s "$fresh" "$file"; then
            echo "$file is out of date; run crds/generate.sh and commit the result" >&2
            exit 1
        fi
    done
    ;;
*)
    echo "usage: crds/generate.sh [--check]" >&2
    exit 2
    ;;
esac
