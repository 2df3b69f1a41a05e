"""Labels of pods: for people who look for them, and for the task that looks for its own."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from s2ps.execution.request import ClusterRequest

PART_OF = {"app.kubernetes.io/part-of": "s2ps", "app.kubernetes.io/name": "s2ps-processor"}
CLUSTER = "s2ps-cluster"
"""Which cluster of which run in which staging: two pods with it must not run at the same time."""
REQUEST = "s2ps-request"
"""The document it runs: a pod is adopted only if it runs the very same."""
NUMBER = "s2ps-number"
"""Counts the pods of a cluster."""
JUDGED = "s2ps-judged"
"""What became of it, in one word, once a task has drawn its conclusion; such a pod is not adopted any more."""

_LENGTH = 63
_OUTSIDE = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a pod is for; equal for every try of the same work."""

    cluster: str
    request: str
    readable: dict[str, str]
    """Labels for people: datatake, node, tile, cluster."""

    @classmethod
    def of(cls, request: ClusterRequest, document: bytes) -> Identity:
        """Return the identity of a request; `document` is its text in the staging."""
        tile = request.label.split()[0] if "tile=" in request.cluster_id else ""
        names = {"datatake": request.run_id, "node": request.node, "cluster": request.cluster_id, "tile": tile}
        place = f"{request.staging}\0{request.run_id}\0{request.cluster_id}"
        return cls(
            cluster=digest(place.encode()),
            request=digest(request.plan_hash.encode() + b"\0" + document),
            readable={key: label_value(value) for key, value in names.items() if value},
        )

    @property
    def selector(self) -> str:
        """Return the label selector of all pods of this cluster."""
        return f"{CLUSTER}={self.cluster}"

    def labels(self, number: int) -> dict[str, str]:
        """Return the labels of the pod with a number."""
        own = {CLUSTER: self.cluster, REQUEST: self.request, NUMBER: str(number)}
        return {**PART_OF, **self.readable, **own}

    def pod_name(self, number: int) -> str:
        """Return the name of the pod with a number: of two tasks that make the same one, one is refused."""
        words = f"{self.readable['node']}-{self.readable.get('tile', '')}"
        front = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:40].strip("-")
        return f"{front}-{self.cluster[:10]}-{number}"


def digest(content: bytes) -> str:
    """Return 32 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:32]


def label_value(text: str) -> str:
    """Return a text as the value of a label: readable, at most 63 characters, with a hash where it had to be cut."""
    value = _OUTSIDE.sub("_", text).strip("_.-")
    if len(value) <= _LENGTH:
        return value
    return f"{value[: _LENGTH - 9].rstrip('_.-')}-{digest(text.encode())[:8]}"
