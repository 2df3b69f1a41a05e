"""The docker archives of the test cluster."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from cluster.scratch_image import write_image

pytestmark = pytest.mark.unit


def test_archive_holds_the_files_and_their_true_digests(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF")
    write_image(tmp_path / "a.tar", "localhost/test/a:1", "/bin/a", {"/bin/a": tmp_path / "program"})
    with tarfile.open(tmp_path / "a.tar") as archive:
        (image,) = json.load(archive.extractfile("manifest.json"))  # type: ignore[arg-type]
        config = archive.extractfile(image["Config"]).read()  # type: ignore[union-attr]
        layer = archive.extractfile(image["Layers"][0])
        assert layer is not None
        identity = hashlib.sha256(layer.read()).hexdigest()
        layer.seek(0)
        with tarfile.open(fileobj=layer) as files:
            (member,) = files.getmembers()
    assert image["RepoTags"] == ["localhost/test/a:1"]
    assert image["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{identity}"]
    assert json.loads(config)["config"]["Entrypoint"] == ["/bin/a"]
    assert (member.name, member.mode, member.size) == ("bin/a", 0o755, 4)


def test_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"x")
    for name in ("a.tar", "b.tar"):
        write_image(tmp_path / name, "localhost/test/a:1", "/a", {"/a": tmp_path / "program"})
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
