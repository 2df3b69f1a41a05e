"""Small files of a tree travel together, and still come back one by one, verified."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from contract.conftest import ObjectStore, Opener
from contract.object_store import Proxy, names

from s2ps.model.errors import StagingError
from s2ps.staging.s3_pack import PACK_BYTES, SMALL_BYTES

KEY = "runs/dt/jobs/one"


def job_folder(folder: Path, files: int = 40) -> Path:
    """Make two output types of many small files, an empty one, a large file and a lonely one."""
    for kind in ("PDI_DS", "VECTOR"):
        (folder / kind).mkdir(parents=True)
        for number in range(files):
            (folder / kind / f"{number:03d}.json").write_text(f"{kind} {number}")
    (folder / "VECTOR" / "empty").write_bytes(b"")
    (folder / "VECTOR" / "mask.npy").write_bytes(b"m" * SMALL_BYTES)
    (folder / "job.json").write_text("{}")
    return folder


def gets(proxy: Proxy) -> list[str]:
    return [line for line in proxy.seen if line.startswith("GET") and ("/packs/" in line or "/trees/" in line)]


def test_a_tree_of_many_small_files_is_few_objects(opened: Opener, object_store: ObjectStore, tmp_path: Path) -> None:
    opened().put(job_folder(tmp_path / "t"), KEY)
    found = names(object_store.client, object_store.bucket)
    assert sum("/packs/" in name for name in found) == 2
    assert sorted(name.rsplit("/", 1)[1] for name in found if "/trees/" in name) == ["job.json", "mask.npy"]


def test_only_the_type_that_is_asked_for_is_fetched(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    opened().put(job_folder(tmp_path / "t"), KEY)
    reader = opened(proxy.address)
    folder = reader.open_local(f"{KEY}/PDI_DS")
    assert sorted(path.name for path in folder.iterdir()) == [f"{number:03d}.json" for number in range(40)]
    assert (folder / "007.json").read_text() == "PDI_DS 7"
    assert len(gets(proxy)) == 1
    assert not (folder.parent / "VECTOR").exists()
    assert (reader.open_local(KEY) / "VECTOR" / "empty").read_bytes() == b""
    assert len(gets(proxy)) == 4, "one more pack, the large file and the lonely one; nothing twice"


def test_single_files_of_a_pack_can_be_read_and_copied(opened: Opener, tmp_path: Path) -> None:
    store = opened()
    store.put(job_folder(tmp_path / "t"), KEY)
    assert store.read(f"{KEY}/VECTOR/011.json") == b"VECTOR 11"
    store.get(KEY, tmp_path / "copy")
    for path in (tmp_path / "t").rglob("*"):
        if path.is_file():
            assert (tmp_path / "copy" / path.relative_to(tmp_path / "t")).read_bytes() == path.read_bytes()
    assert len(store.checksum(f"{KEY}/PDI_DS/000.json")) == 64


def test_a_tree_is_copied_with_a_request_per_pack(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    opened().put(job_folder(tmp_path / "t"), KEY)
    opened(proxy.address).get(KEY, tmp_path / "copy")
    assert len(gets(proxy)) == 4, "two packs, the large file and the lonely one"
    assert (tmp_path / "copy" / "VECTOR" / "empty").read_bytes() == b""


def test_files_that_do_not_fit_into_one_pack_fill_several(
    opened: Opener, object_store: ObjectStore, tmp_path: Path
) -> None:
    folder = tmp_path / "t" / "PDI_DS"
    folder.mkdir(parents=True)
    size = SMALL_BYTES - 1
    for number in range(2 * PACK_BYTES // size + 1):
        (folder / f"{number:02d}").write_bytes(bytes([number]) * size)
    opened().put(tmp_path / "t", KEY)
    sizes = [item["Size"] for item in object_store.client.list_objects_v2(Bucket=object_store.bucket)["Contents"]]
    assert max(sizes) <= PACK_BYTES
    assert sum("/packs/" in name for name in names(object_store.client, object_store.bucket)) == 2
    fetched = opened().open_local(KEY) / "PDI_DS"
    assert all(path.read_bytes() == (folder / path.name).read_bytes() for path in fetched.iterdir())


def test_a_pack_that_is_missing_or_changed_is_noticed(
    opened: Opener, object_store: ObjectStore, tmp_path: Path
) -> None:
    store = opened()
    store.put(job_folder(tmp_path / "t"), KEY)
    assert store.damage(KEY) is None
    name = next(name for name in names(object_store.client, object_store.bucket) if "/packs/" in name)
    whole = object_store.client.get_object(Bucket=object_store.bucket, Key=name)
    body = whole["Body"].read()
    object_store.client.put_object(
        Bucket=object_store.bucket, Key=name, Body=b"!" + body[1:], Metadata=whole["Metadata"]
    )
    with pytest.raises(StagingError, match="is damaged"):
        opened().open_local(KEY)
    with pytest.raises(StagingError, match="is damaged"):
        opened().get(KEY, tmp_path / "copy")
    object_store.client.delete_object(Bucket=object_store.bucket, Key=name)
    assert "its object is missing" in (store.damage(KEY) or "")
    with pytest.raises(StagingError):
        opened().open_local(KEY)


def test_packs_go_with_their_tree(opened: Opener, object_store: ObjectStore, tmp_path: Path) -> None:
    store = opened()
    store.put(job_folder(tmp_path / "t"), KEY)
    store.delete(KEY)
    assert not any("/packs/" in name for name in names(object_store.client, object_store.bucket))


def test_an_upload_that_was_broken_off_sends_no_pack_twice(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    source = job_folder(tmp_path / "t")

    def refuse_the_large_one(method: str, path: str) -> tuple[int, bytes] | None:
        """Wait until both packs are there, then refuse."""
        if method != "PUT" or not path.endswith("/mask.npy"):
            return None
        end = time.monotonic() + 10
        while time.monotonic() < end and sum("/packs/" in line for line in proxy.seen) < 2:
            time.sleep(0.05)
        time.sleep(0.5)
        return 400, b""

    proxy.before = refuse_the_large_one
    with pytest.raises(StagingError):
        opened(proxy.address).put(source, KEY)
    proxy.before = lambda _method, _path: None
    proxy.seen.clear()
    opened(proxy.address).put(source, KEY)
    sent = [line for line in proxy.seen if line.startswith("PUT") and ("/packs/" in line or "/trees/" in line)]
    assert [line.rsplit("/", 1)[1] for line in sent] == ["mask.npy"]
