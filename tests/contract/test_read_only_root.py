"""The runner in a place like a pod: nothing can be written but the folder for temporary files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from contract.clusters import Workbench
from contract.conftest import ObjectStore

from s2ps.execution.request import OutputRequest
from s2ps.execution.result import ClusterResult
from s2ps.staging import layout
from s2ps.staging.location import open_store

ROOT = Path(__file__).resolve().parents[2]
ENCLOSED = """set -e
mount --make-rprivate /
while read -r _ _ _ _ place _; do mount -o remount,bind,ro "$place" 2>/dev/null || true; done < /proc/self/mountinfo
mount -t tmpfs -o size=64m tmpfs "$1"
shift
if touch /s2ps-can-write 2>/dev/null; then echo "the root can be written" >&2; exit 9; fi
exec "$@"
"""


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="only root can mount")
def test_a_cluster_on_s3_needs_only_its_temporary_folder(object_store: ObjectStore, tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    uri, scratch = str(object_store.location()), tmp_path / "scratch"
    scratch.mkdir()
    counter = str(scratch / "counter")
    jobs = (bench.job("a", COUNTER=counter), bench.job("b", "a", COUNTER=counter, outputs=(OutputRequest(type="T"),)))
    store = open_store(uri)
    store.write(layout.request("run", "c1"), bench.request(*jobs).dump().encode())
    runner = [sys.executable, "-m", "ipf_adapters.run", layout.request("run", "c1"), "--staging", uri]
    more = {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "TMPDIR": str(scratch), "HOME": "/nonexistent"}
    kept = {name: value for name, value in os.environ.items() if name != "S2PS_STAGING_CACHE"}
    ended = subprocess.run(
        ["unshare", "--mount", "bash", "-c", ENCLOSED, "enclosed", str(scratch), *runner],
        env={**kept, **more}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = ClusterResult.model_validate_json(store.read(layout.result("run", "c1")))
    assert [job.state for job in result.jobs] == ["done", "done"]
    assert store.read(f"{layout.output('dt', 'b', 'T')}/b.txt") == b"TEXTS a.txt\nb\n"
