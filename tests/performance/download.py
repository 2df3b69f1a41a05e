"""Downloads: the engine beside curl with four ranges from the same nginx into the same folder.

Every way ends when its files are on the disk (fsync); before it begins, what the one before has left is gone from the
disk too, and the ways come in another order in every round. The first round is not counted.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from performance.commands import in_turns, settle
from performance.report import Report

from s2ps.ingestion.download import MEGABYTE, Engine, Wanted
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import Web
from s2ps.ingestion.web_source import WebSource

RANGES = 4
DATE = datetime(2026, 7, 1, tzinfo=UTC)


def measure_download(folder: Path, report: Report, rounds: int, megabytes: int) -> None:
    """Fetch one file in turn by curl and by the engine, from the same nginx, into the same folder."""
    if not _nginx_is_here() or shutil.which("curl") is None:
        print("download skipped: nginx and curl are not installed and cannot be: apt-get install nginx-light curl")
        return
    folder.mkdir(parents=True)
    content = _random_file(folder / "www" / "file", megabytes)
    sums = {
        name: hashlib.new(name, content.read_bytes(), usedforsecurity=False).hexdigest() for name in ("md5", "sha256")
    }
    with _nginx(folder) as url:
        ways: dict[str, Callable[[Path], None]] = {
            "curl, four ranges, nothing checked": lambda target: _curl(url, target, content.stat().st_size),
            "curl, four ranges, joined, sha256sum": lambda target: _curl_checked(url, target, content.stat().st_size),
            "engine, nothing published": lambda target: _engine(url, target, content, ""),
            "engine, MD5": lambda target: _engine(url, target, content, f"md5:{sums['md5']}"),
            "engine, SHA-256": lambda target: _engine(url, target, content, f"sha256:{sums['sha256']}"),
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for name in in_turns(ways, rounds + 1):
            times[name].append(_timed(ways[name], folder / "target"))
    _add(report, content.stat().st_size / 1e6, {name: taken[1:] for name, taken in times.items()})


def _add(report: Report, megabytes: float, times: dict[str, list[tuple[float, float]]]) -> None:
    """Report medians and range, and the rate to that of curl that checks nothing, in the same round."""
    base = [wall for wall, _ in next(iter(times.values()))]
    for name, taken in times.items():
        rates = sorted(megabytes / wall for wall, _ in taken)
        to_curl = [curl / wall for curl, (wall, _) in zip(base, taken, strict=True)]
        report.add(
            f"download/{name}", name, mb_s=statistics.median(rates), lowest=rates[0], highest=rates[-1],
            to_curl=statistics.median(to_curl), cpu_s=statistics.median(cpu for _, cpu in taken),
        )  # fmt: skip


def _timed(way: Callable[[Path], None], target: Path) -> tuple[float, float]:
    """Return wall seconds, synced to the disk, and CPU seconds of the client."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    settle(target)
    before, began = os.times(), time.perf_counter()
    way(target)
    for path in target.iterdir():
        settle(path)
    wall, after = time.perf_counter() - began, os.times()
    return wall, sum(after[:4]) - sum(before[:4])


def _curl(url: str, target: Path, size: int) -> None:
    step = -(-size // RANGES)
    spans = [(first, min(first + step, size) - 1) for first in range(0, size, step)]
    running = [
        subprocess.Popen(["curl", "-sS", "-f", "-r", f"{first}-{last}", "-o", str(target / f"{first:015d}"), url])
        for first, last in spans
    ]
    if any(process.wait() for process in running):
        raise RuntimeError("curl failed")


def _curl_checked(url: str, target: Path, size: int) -> None:
    _curl(url, target, size)
    parts = sorted(target.iterdir())
    with parts[0].open("ab") as whole:
        for part in parts[1:]:
            subprocess.run(["cat", str(part)], stdout=whole, check=True)
            part.unlink()
    subprocess.run(["sha256sum", str(parts[0])], stdout=subprocess.DEVNULL, check=True)


def _engine(url: str, target: Path, content: Path, checksum: str) -> None:
    web = Web(Station.model_validate({"name": "bench", "kind": "cadip", "url": url}))
    size = content.stat().st_size
    try:
        wanted = Wanted(target / "file", "one", size, DATE, checksum)
        Engine(RANGES, 8 * MEGABYTE).fetch(WebSource(web, httpx.URL(url), size), wanted)
    finally:
        web.close()


def _random_file(path: Path, megabytes: int) -> Path:
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
    settle(path)
    return path


def _nginx_is_here() -> bool:
    if shutil.which("nginx") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing Debian's nginx, to download from; it stays", flush=True)
        command = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "nginx-light"]
        subprocess.run(command, capture_output=True, timeout=600, check=False)
    return shutil.which("nginx") is not None


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    """Run an nginx of our own for the files of a folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"{user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; daemon off; events {{}}"
        f" http {{ access_log off; sendfile on; keepalive_requests 100000; {temporary}"
        f" server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}"
    )
    process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/file"
    finally:
        process.terminate()
        process.wait(20)
