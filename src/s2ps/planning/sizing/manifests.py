"""Documents for Kubernetes that say what was sized: quotas, and node pools for Karpenter or the cluster-autoscaler."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from s2ps.planning.sizing.fleet import POOL_LABEL, Room
from s2ps.planning.sizing.size import Answer, PoolSize, Quota

NAMESPACE = "s2ps-processing"
REPROCESSING = "s2ps-reprocessing"
IDLE = "10m"
"""How long an empty node is kept: longer than the pauses between the phases of a datatake."""

Document = dict[str, Any]
DEFAULTS: Document = {
    "type": "Container",
    "defaultRequest": {"cpu": "500m", "memory": "1G", "ephemeral-storage": "1G"},
    "default": {"cpu": "2", "memory": "4G", "ephemeral-storage": "10G"},
    "min": {"cpu": "10m", "memory": "16M"},
}
"""Limits of a container that names none."""


def quotas(answer: Answer) -> list[Document]:
    """Return the ResourceQuotas of all pods and of reprocessing, and the LimitRange, as patches of k8s/base."""
    both = Quota(
        answer.near_real_time.pods + answer.reprocessing.pods,
        answer.near_real_time.room.plus(answer.reprocessing.room),
    )
    return [
        _object("v1", "ResourceQuota", NAMESPACE, {"hard": _hard(both)}),
        _object("v1", "ResourceQuota", REPROCESSING, {"hard": _of_priority(answer.reprocessing)}),
        _object("v1", "LimitRange", NAMESPACE, {"limits": [{**DEFAULTS, "max": _quantities(answer.largest)}]}),
    ]


def karpenter(pools: Iterable[PoolSize]) -> list[Document]:
    """Return NodePools (karpenter.sh/v1); nodes that are always there are a pool of fixed size of their own."""
    found = []
    for pool in pools:
        if pool.always:
            found.append(_node_pool(pool, "-always", {"replicas": pool.always}))
        if pool.most > pool.always:
            cores = pool.type.capacity.cpu * (pool.most - pool.always)
            found.append(_node_pool(pool, "", {"limits": {"cpu": str(math.ceil(cores))}}))
    return found


def cluster_autoscaler(pools: Iterable[PoolSize]) -> Document:
    """Return values for the Helm chart of the cluster-autoscaler: one group of nodes per pool."""
    groups = [{"name": _name(pool), "minSize": pool.always, "maxSize": pool.most} for pool in pools]
    return {"autoscalingGroups": groups, "extraArgs": {"expander": "least-waste", "scale-down-unneeded-time": IDLE}}


def cluster_api(pools: Iterable[PoolSize]) -> dict[str, Document]:
    """Return the annotations of the MachineDeployment of each pool, where nodes are made by Cluster API."""
    prefix = "cluster.x-k8s.io/cluster-api-autoscaler-node-group"
    return {
        _name(pool): {f"{prefix}-min-size": str(pool.always), f"{prefix}-max-size": str(pool.most)} for pool in pools
    }


def text(documents: Sequence[Document], header: Sequence[str]) -> str:
    """Return YAML below lines of comment."""
    lines = "".join(f"# {line}\n" for line in header)
    return lines + yaml.safe_dump_all(documents, sort_keys=False, width=120)


def _node_pool(pool: PoolSize, suffix: str, bound: Document) -> Document:
    spec: Document = {
        "template": {
            "metadata": {"labels": {POOL_LABEL: pool.type.name}},
            "spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "s2ps"},
                "requirements": [
                    {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [pool.type.name]}
                ],
                "expireAfter": "Never",
            },
        },
        # A node is taken away only when no processor runs on it.
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": IDLE},
        **bound,
    }
    name = f"{_name(pool)}{suffix}"
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": {"name": name}, "spec": spec}


def _name(pool: PoolSize) -> str:
    """Return a name Kubernetes takes: lower case letters, digits and hyphens."""
    return "s2ps-" + "".join(c if c.isalnum() else "-" for c in pool.type.name.lower()).strip("-")


def _object(version: str, kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec}


def _hard(quota: Quota) -> Document:
    return {"pods": str(quota.pods), **{f"requests.{name}": value for name, value in _quantities(quota.room).items()}}


def _of_priority(quota: Quota) -> Document:
    """Return the quota of one priority class, for which Kubernetes does not count local disk."""
    return {name: value for name, value in _hard(quota).items() if "ephemeral-storage" not in name}


def _quantities(room: Room) -> Document:
    return {
        "cpu": str(math.ceil(room.cpu)),
        "memory": f"{math.ceil(room.memory_gb)}G",
        "ephemeral-storage": f"{math.ceil(room.disk_gb)}G",
    }
