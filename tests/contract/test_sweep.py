"""What interrupted work leaves behind goes away, what is used does not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from contract.conftest import ObjectStore, Opener
from contract.object_store import make_tree, names
from typer.testing import CliRunner

from s2ps.cli.main import app
from s2ps.staging.posix import PosixStore

ROOT = Path(__file__).resolve().parents[2]
OLD = time.time() - 2 * 86400


def swept(home: Path, staging: str, age: str = "24h") -> str:
    result = CliRunner().invoke(
        app, ["staging", "sweep", "--home", str(home), "--older-than", age], env={"S2PS_STAGING": staging}
    )
    assert result.exit_code == 0, result.output
    return result.output.split(" leftovers", 1)[0].strip()


def test_a_folder_loses_only_what_is_old_and_uncommitted(tmp_path: Path) -> None:
    store = PosixStore(tmp_path / "staging")
    store.put(make_tree(tmp_path / "t", a="1"), "runs/dt/jobs/good")
    old, young = store.begin("runs/dt/jobs/old"), store.begin("runs/dt/jobs/young")
    (old / "a").write_text("a")
    for path in (old / "a", old, store.open_local("runs/dt/jobs/good")):
        os.utime(path, (OLD, OLD))
    assert swept(tmp_path, str(tmp_path / "staging")) == "1"
    assert (old.exists(), young.exists(), store.exists("runs/dt/jobs/good")) == (False, True, True)
    assert swept(tmp_path, str(tmp_path / "staging")) == "0", "once more changes nothing"


def test_a_bucket_loses_uploads_that_never_ended(opened: Opener, object_store: ObjectStore, tmp_path: Path) -> None:
    opened().put(make_tree(tmp_path / "t", a="1"), "runs/dt/jobs/good")
    body = b"runs/dt/jobs/x"
    kept = {"sha256": hashlib.sha256(body).hexdigest()}
    object_store.client.put_object(Bucket=object_store.bucket, Key="pre/fix/uploads/abc", Body=body, Metadata=kept)
    object_store.client.put_object(Bucket=object_store.bucket, Key="pre/fix/packs/abc/0", Body=b"left")
    uri = str(object_store.location())
    assert swept(tmp_path, uri) == "0"
    time.sleep(1.1)
    assert swept(tmp_path, uri, "0m") == "1"
    assert not any("abc" in name for name in names(object_store.client, object_store.bucket))
    assert opened().read("runs/dt/jobs/good/a") == b"1"


HOLD = """
import sys, time
from s2ps.staging.location import open_store
store = open_store(sys.argv[1])
store.begin("runs/dt/jobs/x")
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("alive", [True, False])
def test_the_local_copies_of_a_process_go_when_it_is_gone(
    alive: bool, object_store: ObjectStore, opened: Opener, tmp_path: Path
) -> None:
    more = {"PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", HOLD, str(object_store.location())]
    process = subprocess.Popen(command, env={**os.environ, **more}, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    (cache,) = (path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    if not alive:
        process.kill()
        process.wait(10)
    for path in (*cache.rglob("*"), cache):
        os.utime(path, (OLD, OLD))
    assert swept(tmp_path, str(object_store.location())) == ("0" if alive else "1")
    assert cache.exists() is alive
    process.kill()
    process.wait(10)
    process.stdout.close()


@pytest.mark.parametrize("age", ["24", "1w", "-3h", "", "h"])
def test_an_age_that_cannot_be_read_is_refused(age: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["staging", "sweep", "--home", str(tmp_path), "--older-than", age])
    assert result.exit_code == 2
    assert "is no age" in result.output + result.stderr
