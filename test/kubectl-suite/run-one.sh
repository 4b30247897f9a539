#!/usr/bin/env bash
# One function of upstream's test/cmd, in a copy of its tree: run-one.sh TREE NAME. Of the environment: KUBECTL_FOLDER,
# SECURE_API_PORT, SECURE_CTLRMGR_PORT. What would build or start programs does nothing: run.mjs has started them.
set -o errexit -o nounset -o pipefail
cd "$1"
source hack/lib/init.sh
source hack/lib/test.sh
KUBE_OUTPUT_HOSTBIN=$KUBECTL_FOLDER
source test/cmd/legacy-script.sh
make() { :; }
kube::etcd::start() { :; }
kube::etcd::cleanup() { :; }
export SUPPORTED_RESOURCES=('*')
export ALLOW_SKEW=1 WHAT=$2
setup
# Most functions begin in the namespace of the one before, which is empty.
namespace="suite-${2//_/-}"
kubectl create namespace "${namespace,,}"
kubectl config set-context test --namespace="${namespace,,}"
runTests
