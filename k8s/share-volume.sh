#!/usr/bin/env bash
# Give the namespace s2ps-processing the CephFS volume that a claim of s2ps got: a static copy of its volume.
# usage: share-volume.sh s2ps-staging|s2ps-data     (needs rights on volumes of the whole Kubernetes; kubectl, python3)
# The node secret with the keys userID and userKey is named by S2PS_NODE_SECRET (default rook-csi-cephfs-node-user).
set -euo pipefail

claim=${1:?usage: share-volume.sh s2ps-staging|s2ps-data}
secret=${S2PS_NODE_SECRET:-rook-csi-cephfs-node-user}

fail() {
    echo "share-volume: $1" >&2
    exit 1
}

copy() {
    python3 -c '
import json, sys
claim, secret = sys.argv[1:]
volume = json.load(sys.stdin)
spec = volume["spec"]
csi = spec.get("csi") or sys.exit(f"volume of {claim} is not a CSI volume; expected one of CephFS")
attributes = csi["volumeAttributes"]
path = attributes.get("subvolumePath") or sys.exit(f"volume of {claim} names no subvolumePath; expected one of CephFS")
copy = {
    "apiVersion": "v1",
    "kind": "PersistentVolume",
    "metadata": {"name": f"{claim}-processing", "labels": {"app.kubernetes.io/part-of": "s2ps"}},
    "spec": {
        "accessModes": ["ReadOnlyMany"] if claim == "s2ps-data" else ["ReadWriteMany"],
        "capacity": spec["capacity"],
        "claimRef": {"namespace": "s2ps-processing", "name": claim},
        "persistentVolumeReclaimPolicy": "Retain",
        "storageClassName": "",
        "volumeMode": "Filesystem",
        "csi": {
            "driver": csi["driver"],
            "volumeHandle": csi["volumeHandle"] + "-s2ps-processing",
            "volumeAttributes": {**attributes, "rootPath": path, "staticVolume": "true"},
            "nodeStageSecretRef": {**csi["nodeStageSecretRef"], "name": secret},
        },
    },
}
json.dump(copy, sys.stdout, indent=2)
' "$claim" "$secret"
}

volume=$(kubectl -n s2ps get pvc "$claim" -o 'jsonpath={.spec.volumeName}')
[ -n "$volume" ] || fail "claim $claim of s2ps has no volume yet: wait until it is bound"
# Deleting the first claim must not delete what the second one shows.
kubectl patch pv "$volume" --type merge -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'
kubectl get pv "$volume" -o json | copy | kubectl apply -f -
