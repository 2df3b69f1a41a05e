"""Run one cluster of jobs: `python -m ipf_adapters.run request.json [--staging URI] [--quiet] [--verify quick|full]`.

The request is a local file or, with --staging, may be a key of that staging.

Exit codes: 0 all jobs are fine, 1 a job failed, 2 the request or the staging cannot be used, 75 the staging or the disk
cannot be used for now, 143 interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from ipf_adapters.runner.cluster import run_cluster
from ipf_adapters.runner.disk import full_by_error, written_places
from ipf_adapters.runner.stop import INTERRUPTED, Stop
from s2ps.execution.request import ClusterRequest
from s2ps.model.errors import InputError, S2psError, is_temporary
from s2ps.staging.location import open_store
from s2ps.staging.store import StagingStore

EXIT_OF_STATE = {"success": 0, "failed": 1, "interrupted": 143}
EXIT_UNUSABLE = 2
EXIT_TEMPORARY = 75


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cluster of a request file and return the exit code."""
    options = _options(arguments)
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, _frame: stop.request(f"{INTERRUPTED} by {signal.Signals(got).name}"))
    if options.attended:
        threading.Thread(target=_watch, args=(stop,), daemon=True).start()
    store: StagingStore | None = None
    try:
        store = open_store(options.staging) if options.staging else None
        request = _load(_local(options.request, store))
        store = store or open_store(request.staging)
        write = _silent if options.quiet else _say
        result = run_cluster(request, store, stop=stop, write=write, verify=options.verify)
    except (S2psError, OSError) as error:
        plain = full_by_error(error, written_places(store)) or error
        print(f"{options.request}: {plain}", file=sys.stderr, flush=True)
        return EXIT_TEMPORARY if is_temporary(plain) else EXIT_UNUSABLE
    if options.quiet and result.error:
        print(result.error, file=sys.stderr, flush=True)
    return EXIT_TEMPORARY if stop.temporary and result.state == "interrupted" else EXIT_OF_STATE[result.state]


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ipf_adapters.run", description="Run one cluster of jobs.")
    parser.add_argument("request", help="ClusterRequest as JSON: a file, or a key of the staging given by --staging")
    parser.add_argument("--staging", help="folder or URI to use in place of the staging of the request")
    parser.add_argument("--quiet", action="store_true", help="no line per job")
    parser.add_argument("--attended", action="store_true", help="stop when standard input ends")
    parser.add_argument(
        "--verify",
        choices=("quick", "full"),
        default="quick",
        help="how to check finished jobs: quick trusts size and time of files above 64 MiB, full hashes all",
    )
    return parser.parse_args(arguments)


def _local(request: str, store: StagingStore | None) -> Path:
    path = Path(request)
    return path if store is None or path.exists() else store.open_local(request)


def _load(path: Path) -> ClusterRequest:
    try:
        return ClusterRequest.load(path)
    except ValidationError as error:
        raise InputError(
            f"the request is not valid: {error}", expected="a ClusterRequest", next_step="plan the cluster again"
        ) from error


def _watch(stop: Stop) -> None:
    """Wait for the end of standard input: whoever started this runner holds its other end."""
    while os.read(0, 4096):
        continue
    stop.request(f"{INTERRUPTED}: the process that started the cluster is gone")


def _say(line: str) -> None:
    """Print a line; when nobody reads any more, go on in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


def _silent(_line: str) -> None:
    return None


if __name__ == "__main__":
    sys.exit(main())
