"""Staging out and in, MB/s: CephFS against `cp -r`, S3 against other clients; alternating, on the test cluster.

Every way is a command of its own, start included. On CephFS each command is followed by a sync of every file, which
is counted. What comes back from CephFS is read through another mount, which has seen nothing of it.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from e2e_cluster.cluster import Cluster
from performance import clients
from performance.commands import Cost, measured
from performance.report import Report

MIB = 2**20
TREES = {
    "one of 512 MiB, 300 of 64 KiB": {"large": (1, 512 * MIB), "small": (300, 64 * 1024)},
    "a job, 99 files": {"bands": (13, 2_411_336), "masks": (26, 602_912), "documents": (60, 4_000)},
}
"""Folder -> number and size of its files; the second is as 13 bands of a tile at scale 10."""
OURS = """
import sys, time
from pathlib import Path
from s2ps.staging.location import open_store
action, uri, key, path = sys.argv[1:]
begun = time.monotonic()
store = open_store(uri)
if action == "put":
    store.put(Path(path), key)
elif action == "get":
    store.get(key, Path(path))
else:
    store.open_local(key).rename(path)
print(time.monotonic() - begun)
"""
SYNC = "for f in sys.argv[1:]: d = os.open(f, 0); os.fsync(d); os.close(d)"


@dataclass(slots=True)
class Way:
    """One way to copy a tree to the staging and back: commands by key and folder."""

    name: str
    out: Callable[[Path, str], list[str]]
    backs: dict[str, Callable[[str, Path], list[str]]]
    """By name: most ways have one, "in"."""
    costs: dict[tuple[str, str], list[Cost]] = field(default_factory=dict)
    calls: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """Seconds inside the process, where it says."""


def measure_staging(folder: Path, report: Report, cluster: Cluster, rounds: int, shrink: int = 1) -> None:
    """Measure both media; `shrink` divides the sizes, to try the measurement itself."""
    folder.mkdir(exist_ok=True)
    trees = {name: _make(folder / "trees" / str(number), parts, shrink)
             for number, (name, parts) in enumerate(TREES.items())}  # fmt: skip
    with _cephfs(cluster) as (first, second):
        ways = [
            Way("S2PS", _put(str(first)), {"in": _back("get", str(second))}),
            Way("cp -r", lambda source, key: ["cp", "-r", str(source), str(first / key)],
                {"in": lambda key, target: ["cp", "-r", str(second / key), str(target)]}),
        ]  # fmt: skip
        clean = lambda key: shutil.rmtree(first / key)  # noqa: E731
        _rounds(folder, "CephFS", trees, ways, rounds, dict(cluster.env), clean, first)
        _tell(report, "CephFS", trees, ways)
    with _bucket(cluster) as bucket:
        endpoint, region = cluster.env["S2PS_TEST_S3"], cluster.env["AWS_DEFAULT_REGION"]
        uri = f"s3://{bucket}/staging?endpoint={endpoint}&region={region}"
        found = [_other(client, bucket) for client in clients.install(folder)]
        ours = Way("S2PS", _put(uri), {"in": _back("open", uri), "in by get": _back("get", uri)})
        ways = [ours, *found]
        variables = {**clients.environment(cluster.env), "S2PS_STAGING_CACHE": str(folder / "cache")}
        _rounds(folder, "S3", trees, ways, rounds, variables, lambda key: _empty(cluster, bucket))
        _tell(report, "S3", trees, ways)


def _rounds(
    folder: Path, medium: str, trees: dict[str, Path], ways: list[Way], rounds: int, variables: dict[str, str],
    clean: Callable[[str], None], synced: Path | None = None,
) -> None:  # fmt: skip
    for number in range(rounds):
        for tree, source in trees.items():
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                key, target = f"{number}-{secrets.token_hex(4)}", folder / "back"
                _one(way, (tree, "out"), way.out(source, key), folder, variables, synced and synced / key)
                for direction, back in way.backs.items():
                    _one(way, (tree, direction), back(key, target), folder, variables, None)
                    _same(medium, way.name, source, target)
                    shutil.rmtree(target)
                clean(key)


def _one(
    way: Way, kind: tuple[str, str], command: list[str], folder: Path, variables: dict[str, str], synced: Path | None
) -> None:
    log = folder / "copy.log"
    cost = measured(command, log, variables)
    begun = time.monotonic()
    if synced is not None:
        files = [str(path) for path in synced.rglob("*") if path.is_file()]
        subprocess.run([sys.executable, "-c", f"import os, sys\n{SYNC}", *files], check=True, timeout=300)
    total = Cost(cost.wall_s + time.monotonic() - begun, cost.cpu_s, cost.peak_mb)
    way.costs.setdefault(kind, []).append(total)
    if way.name == "S2PS":
        way.calls.setdefault(kind, []).append(float(log.read_text().split()[-1]))


def _tell(report: Report, medium: str, trees: dict[str, Path], ways: list[Way]) -> None:
    for tree, source in trees.items():
        size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 1e6
        for direction in ("out", "in", "in by get"):
            for way in [way for way in ways if (tree, direction) in way.costs]:
                costs = way.costs[tree, direction]
                walls = [cost.wall_s for cost in costs]
                more = {"call_s": median(way.calls[tree, direction])} if way.calls else {}
                report.add(
                    f"staging {medium} {direction} {way.name}", f"{medium} {direction}: {tree}: {way.name}",
                    mb_per_s=size / median(walls), wall_s=median(walls), longest_s=max(walls),
                    cpu_s=median(cost.cpu_s for cost in costs), mb=size, rounds=len(costs), **more,
                )  # fmt: skip


def _put(uri: str) -> Callable[[Path, str], list[str]]:
    return lambda source, key: [sys.executable, "-c", OURS, "put", uri, key, str(source)]


def _back(action: str, uri: str) -> Callable[[str, Path], list[str]]:
    return lambda key, target: [sys.executable, "-c", OURS, action, uri, key, str(target)]


def _other(client: clients.Client, bucket: str) -> Way:
    return Way(
        client.name,
        lambda source, key: client.out(source, bucket, key),
        {"in": lambda key, target: client.back(bucket, key, target)},
    )


def _make(folder: Path, parts: dict[str, tuple[int, int]], shrink: int) -> Path:
    random = np.random.default_rng(1)
    for part, (count, size) in parts.items():
        (folder / part).mkdir(parents=True)
        for number in range(count):
            (folder / part / f"{number:03d}.bin").write_bytes(random.bytes(max(1, size // shrink)))
    return folder


def _same(medium: str, name: str, source: Path, target: Path) -> None:
    """Refuse to measure a way that does not bring back what was given."""
    names = [[(str(path.relative_to(root)), path.stat().st_size) for path in sorted(root.rglob("*")) if path.is_file()]
             for root in (source, target)]  # fmt: skip
    if names[0] != names[1]:
        raise RuntimeError(f"{medium}, {name}: what came back is not what was given: {names[1][:3]} ...")


@contextmanager
def _cephfs(cluster: Cluster) -> Iterator[tuple[Path, Path]]:
    """Yield one new folder of CephFS as two clients see it."""
    name = f"bench-{secrets.token_hex(4)}"
    first, second = cluster.cephfs / name, Path(cluster.env["S2PS_TEST_CEPHFS_2"]) / name
    first.mkdir()
    try:
        yield first, second
    finally:
        shutil.rmtree(first)


@contextmanager
def _bucket(cluster: Cluster) -> Iterator[str]:
    name = f"bench-{secrets.token_hex(4)}"
    cluster.s3().create_bucket(Bucket=name)
    try:
        yield name
    finally:
        _empty(cluster, name)
        cluster.s3().delete_bucket(Bucket=name)


def _empty(cluster: Cluster, bucket: str) -> None:
    """Remove all objects, and let the store give back their space now and not in two hours."""
    s3 = cluster.s3()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
    command = ["radosgw-admin", "gc", "process", "--include-all"]
    subprocess.run(command, env=dict(cluster.env), check=True, timeout=300, capture_output=True)
