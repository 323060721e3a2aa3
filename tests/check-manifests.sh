#!/bin/sh
# Judges every manifest of the project without a cluster: charts are linted and rendered, kustomizations are built, and
# kubeconform holds all of it, plain files too, against schemas made from the Kubernetes module and our definitions.
# What it cannot judge are CEL rules; those the API server's tests do.
set -eu
cd "$(dirname "$0")/.."

testbed() {
    .ci/program testbed "$@"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

helm=$(testbed prepare helm --program helm)
kubeconform=$(testbed prepare kubeconform --program kubeconform)
kubectl=$(testbed prepare kubernetes --program kubectl)
schemas=$(testbed schemas "$scratch/schemas")
# Of its own, Helm believes in a Kubernetes of long ago, which charts refuse.
version=$("$kubectl" version --client --output yaml | sed -n 's/^  gitVersion: *//p')
# Whatever repositories and plugins the user has, they have no say here.
export HELM_CACHE_HOME="$scratch/helm" HELM_CONFIG_HOME="$scratch/helm" HELM_DATA_HOME="$scratch/helm"

rendered="$scratch/rendered"
mkdir "$rendered"
checks=0 manifests=0 failures=0

good() {
    checks=$((checks + 1))
    echo "ok      $*"
}

# Its second argument is a file with what the program said.
bad() {
    checks=$((checks + 1)) failures=$((failures + 1))
    echo "WRONG   $1"
    [ -z "${2:-}" ] || sed 's/^/        /' "$2"
}

# judge WHAT PATH: kubeconform names file, kind and field; that something was there to judge is for us to see.
judge() {
    if (cd "$rendered" && "$kubeconform" -strict -summary -schema-location "$schemas" "$2") > "$scratch/said" 2>&1; then
        count=$(sed -n 's/.*- Valid: \([0-9]*\), Invalid: 0, Errors: 0, Skipped: 0$/\1/p' "$scratch/said")
        if [ "${count:-0}" -gt 0 ]; then
            manifests=$((manifests + count))
            good "$1 (manifests: $count)"
        else
            bad "$1: no manifest came out of it" "$scratch/said"
        fi
    else
        bad "$1" "$scratch/said"
    fi
}

# chart FOLDER WHICH [HELM'S ARGUMENTS]
chart() {
    folder=$1 which=$2
    shift 2
    if ! "$helm" lint --strict "$folder" --kube-version "$version" "$@" > "$scratch/said" 2>&1; then
        bad "helm lint $folder ($which)" "$scratch/said"
        return
    fi
    good "helm lint $folder ($which)"
    # Its files keep their names, so that an error leads to the template.
    mkdir -p "$rendered/$folder $which"
    if "$helm" template check "$folder" --namespace kvtenant-system --include-crds --kube-version "$version" \
        --output-dir "$rendered/$folder $which" "$@" > "$scratch/said" 2>&1; then
        judge "helm template $folder ($which)" "$folder $which"
    else
        bad "helm template $folder ($which)" "$scratch/said"
    fi
}

kustomization() {
    mkdir -p "$rendered/$1"
    if "$kubectl" kustomize "$1" > "$rendered/$1/built.yaml" 2> "$scratch/said"; then
        judge "kubectl kustomize $1" "$1/built.yaml"
    else
        bad "kubectl kustomize $1" "$scratch/said"
    fi
}

plain() {
    mkdir -p "$rendered/$(dirname "$1")"
    cp "$1" "$rendered/$1"
    judge "$1" "$1"
}

for needed in charts/kvtenant-crds/Chart.yaml charts/kvtenant-operator/Chart.yaml config/default/kustomization.yaml \
    config/samples crds tests/addons; do
    [ -e "$needed" ] || bad "$needed is not there: the list of what must be is in tests/check-manifests.sh"
done

for folder in charts/*/; do
    folder=${folder%/}
    chart "$folder" "default values"
    other=tests/src/schemas/values/$(basename "$folder").yaml
    if [ -e "$other" ]; then
        chart "$folder" "other values" --values "$other"
    elif [ -e "$folder/values.yaml" ]; then
        bad "$folder has values, but none other than its defaults are tried: write some to $other"
    fi
done

for file in config/*/kustomization.yaml; do
    [ ! -e "$file" ] || kustomization "$(dirname "$file")"
done

for file in config/samples/*.yaml crds/*.yaml tests/addons/*.yaml; do
    case $file in
    */kustomization.yaml | *'*'*) ;;
    *) plain "$file" ;;
    esac
done

echo
if [ "$failures" -gt 0 ]; then
    echo "$failures of $checks checks failed: the lines marked WRONG say where."
    exit 1
fi
echo "$checks checks passed, $manifests manifests are as their schemas say."
