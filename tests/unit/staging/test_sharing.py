"""Two users write into one staging side by side."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from s2ps.staging.posix import PosixStore

pytestmark = pytest.mark.unit

GROUP = 10001
AIRFLOW, POD = 20001, 10001
BECOME = """
import os, sys
from pathlib import Path
from s2ps.staging.posix import PosixStore
os.setgroups([int(sys.argv[4])])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[3]))
os.umask(0o077)
"""
WRITE = """
store, name = PosixStore(Path(sys.argv[1])), sys.argv[2]
store.write("runs/dt/requests/c.json", name.encode())
with store.open_log("runs/dt/logs/job.log") as log:
    log.write(name.encode())
tree = store.begin(f"runs/dt/jobs/{name}")
(tree / "PDI_DS" / "deep").mkdir(parents=True)
(tree / "PDI_DS" / "deep" / "a.npy").write_text(name)
(tree / "PDI_DS" / "link").symlink_to("deep/a.npy")
store.commit(tree, f"runs/dt/jobs/{name}")
store.put(tree.parent / name, f"runs/dt/copies/{name}")
"""
READ_AND_REMOVE = """
store, name = PosixStore(Path(sys.argv[1])), sys.argv[2]
assert store.read("runs/dt/requests/c.json") == name.encode()
assert store.read(f"runs/dt/jobs/{name}/PDI_DS/deep/a.npy") == name.encode()
store.delete(f"runs/dt/jobs/{name}")
store.delete(f"runs/dt/copies/{name}")
assert store.children("runs/dt/jobs") == ()
"""


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder other users can reach, which those of pytest are not."""
    base = Path(tempfile.mkdtemp(prefix="s2ps-shared-"))
    base.chmod(0o755)
    folder = base / "staging"
    folder.mkdir()
    yield folder
    shutil.rmtree(base)


def run_as(user: int, code: str, root: Path, name: str) -> None:
    """Run code as another user; Python itself may lie where only root can read it."""
    command = [sys.executable, "-c", BECOME + code, str(root), name, str(user), str(GROUP)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become two other users")
def test_what_one_user_writes_another_of_the_group_reads_and_removes(root: Path) -> None:
    os.chown(root, 0, GROUP)
    root.chmod(0o2775)
    run_as(AIRFLOW, WRITE, root, "airflow")
    run_as(POD, READ_AND_REMOVE, root, "airflow")
    run_as(POD, WRITE, root, "pod")
    run_as(AIRFLOW, READ_AND_REMOVE, root, "pod")


def modes(root: Path) -> set[int]:
    return {stat.S_IMODE(path.lstat().st_mode) for path in root.rglob("*") if not path.is_symlink()}


def filled(root: Path) -> Path:
    store = PosixStore(root)
    store.write("runs/dt/state.json", b"{}")
    tree = store.begin("runs/dt/jobs/one")
    (tree / "PDI_DS").mkdir()
    (tree / "PDI_DS" / "a.npy").write_text("a")
    assert store.commit(tree, "runs/dt/jobs/one")
    return root


def test_without_the_setgid_bit_the_umask_decides(root: Path) -> None:
    before = os.umask(0o077)
    try:
        assert modes(filled(root)) == {0o700, 0o600}
    finally:
        os.umask(before)


def test_with_the_setgid_bit_the_umask_does_not_matter(root: Path) -> None:
    root.chmod(0o2775)
    before = os.umask(0o077)
    try:
        assert modes(filled(root)) == {0o2770, 0o660}
    finally:
        os.umask(before)
