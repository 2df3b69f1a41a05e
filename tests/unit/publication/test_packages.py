"""Packages: the same bytes whenever they are made, readable by others, and visible only when they are complete."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.publication.items import GRANULE, PRODUCT

from s2ps.model.errors import ConfigurationError, PublicationError, StagingUnavailable
from s2ps.publication import archive, zip_records
from s2ps.publication.archive import Content, archive_of
from s2ps.publication.folder_packages import BLOCK_BYTES, FileSink, FolderPackages
from s2ps.publication.packages import Package, folder_of, write_package
from s2ps.publication.pump import Pump

pytestmark = pytest.mark.unit

FILES = {
    "manifest.safe": b"<manifest/>",
    "empty": b"",
    "QI_DATA/" + "long_name_" * 12 + ".xml": b"report",
    "IMG_DATA/é B02.jp2": bytes(range(256)) * 8,
    "IMG_DATA/B03.jp2": os.urandom(2 * BLOCK_BYTES + 12345),
}


def product(folder: Path, name: str, files: dict[str, bytes] = FILES) -> Path:
    """Write a product folder."""
    for path, content in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_bytes(content)
    return folder / name


def unfinished(root: Path) -> list[str]:
    """Return every file that is no complete package."""
    return [path.name for path in root.rglob("*.partial-*") if path.is_file()]


@pytest.fixture
def store(tmp_path: Path) -> FolderPackages:
    """A package store in a folder."""
    return FolderPackages(tmp_path / "packages")


def file_of(store: FolderPackages, package: Package) -> Path:
    """Return the file of a package."""
    return store.root / store.key(package.location)


def test_size_and_checksums_are_those_of_the_file(tmp_path: Path, store: FolderPackages) -> None:
    for name in (PRODUCT, GRANULE, "S2B_OPER_PRD_HKTM___20260701T101559_20260701T101614_0001"):
        package = write_package(product(tmp_path, name), store, "L1C/2026/07/01")
        content = file_of(store, package).read_bytes()
        assert package.size == len(content) == store.size(store.key(package.location))
        assert package.md5 == hashlib.md5(content, usedforsecurity=False).hexdigest()
        assert package.sha256 == hashlib.sha256(content).hexdigest()
    assert unfinished(store.root) == []


def test_item_is_a_tar_that_others_read(tmp_path: Path, store: FolderPackages) -> None:
    package = write_package(product(tmp_path, GRANULE), store, "L0")
    assert (package.name, package.content_type) == (f"{GRANULE}.tar", "application/x-tar")
    path = file_of(store, package)
    subprocess.run(["tar", "-xf", path, "-C", _made(tmp_path / "out")], check=True)
    assert _content(tmp_path / "out" / GRANULE) == FILES
    with tarfile.open(path) as tar:
        members = tar.getmembers()
    assert [member.name for member in members] == sorted(f"{GRANULE}/{name}" for name in FILES)
    assert {(m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {(0, 0, "", "", 0o644)}
    assert {m.mtime for m in members} == {datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp()}
    assert path.stat().st_size % tarfile.RECORDSIZE == 0


@pytest.mark.parametrize("large", [None, 300], ids=["plain", "zip64"])
def test_user_product_is_a_stored_zip_that_others_read(
    tmp_path: Path, store: FolderPackages, large: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(zip_records, "_LARGE", large)
        monkeypatch.setattr(zip_records.struct, "pack", _as_if_large(large))
    package = write_package(product(tmp_path, PRODUCT), store, "L1C")
    assert (package.name, package.content_type) == (f"{PRODUCT}.zip", "application/zip")
    with zipfile.ZipFile(file_of(store, package)) as found:
        assert found.testzip() is None
        assert found.namelist() == sorted(f"{PRODUCT}/{name}" for name in FILES)
        assert {item.compress_type for item in found.infolist()} == {zipfile.ZIP_STORED}
        assert {item.date_time for item in found.infolist()} == {(2026, 7, 1, 12, 0, 0)}
        assert {item.extract_version for item in found.infolist()} == {45 if large else 20}
        for name in found.namelist():
            found.extract(name, tmp_path / "out")
    assert _content(tmp_path / "out" / PRODUCT) == FILES


def test_zip_can_be_read_as_a_stream(tmp_path: Path, store: FolderPackages) -> None:
    package = write_package(product(tmp_path, PRODUCT), store, "L1C")
    content = file_of(store, package).read_bytes()
    with zipfile.ZipFile(file_of(store, package)) as found:
        for item in found.infolist():
            assert item.flag_bits & 0x08 == 0, "sizes and CRC stand before the data"
            header = content[item.header_offset : item.header_offset + 30]
            assert int.from_bytes(header[14:18], "little") == item.CRC
            assert int.from_bytes(header[18:22], "little") == item.file_size


@pytest.mark.parametrize("name", [PRODUCT, GRANULE])
def test_same_product_gives_the_same_bytes(tmp_path: Path, name: str) -> None:
    first = write_package(product(tmp_path / "a", name), FolderPackages(tmp_path / "first"), "x")
    other = product(tmp_path / "b", name, dict(reversed(FILES.items())))
    for number, path in enumerate(sorted(other.rglob("*"))):
        os.utime(path, (number, number))
        path.chmod(0o700)
    second = write_package(other, FolderPackages(tmp_path / "second"), "y")
    assert (first.size, first.md5, first.sha256) == (second.size, second.md5, second.sha256)
    changed = product(tmp_path / "c", name, {**FILES, "empty": b"1"})
    assert write_package(changed, FolderPackages(tmp_path / "third"), "x").sha256 != first.sha256


def test_file_that_grows_or_shrinks_meanwhile_makes_no_package(tmp_path: Path, store: FolderPackages) -> None:
    folder = product(tmp_path, GRANULE)
    for delta in (-1, 1):
        found = archive_of(folder)
        file = folder / "manifest.safe"
        wrong = [(n, Content(c.path, c.size + delta) if c.path == file else c) for n, c in found.entries]
        changed = archive.Archive(found.name, found.content_type, found.product, found.moment, tuple(wrong))
        with pytest.raises(PublicationError, match="has changed"), store.sink("L0/x.tar", "") as sink:
            Pump(sink).run(changed.segments())
    assert store.names("L0") == ()
    assert unfinished(store.root) == []


def test_links_and_absent_products_are_refused(tmp_path: Path, store: FolderPackages) -> None:
    folder = product(tmp_path, GRANULE)
    (folder / "secret").symlink_to("/etc/passwd")
    with pytest.raises(PublicationError, match="secret cannot be packaged"):
        write_package(folder, store, "L0")
    with pytest.raises(PublicationError, match="does not exist"):
        write_package(tmp_path / PRODUCT, store, "L0")
    with pytest.raises(PublicationError, match="tells no time"):
        write_package(tmp_path / "something", store, "L0")


def test_full_disk_is_told_and_leaves_nothing(
    tmp_path: Path, store: FolderPackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = product(tmp_path, GRANULE)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StagingUnavailable, match="cannot be used now: No space left"):
        write_package(folder, store, "L0")
    assert store.names("L0") == ()
    assert unfinished(store.root) == []


def test_blocks_that_the_disk_cannot_take_directly_go_through_the_page_cache(tmp_path: Path) -> None:
    data = os.urandom(2 * BLOCK_BYTES + 77)
    odd = memoryview(bytearray(1) + data)[1:]
    with (tmp_path / "file").open("wb") as stream:
        sink = FileSink(stream.fileno())
        for number in range(3):
            sink.write(number, odd[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES])
    assert (tmp_path / "file").read_bytes() == data


def test_file_system_that_wants_its_page_cache_gets_the_same_package(
    tmp_path: Path, store: FolderPackages, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = product(tmp_path, GRANULE)
    usual = write_package(folder, store, "L0")
    real, asked = fcntl.fcntl, []

    def refusing(descriptor: int, command: int, flags: int = 0) -> int:
        if command == fcntl.F_SETFL:
            asked.append(flags)
            raise OSError(errno.EINVAL, "Invalid argument")
        return real(descriptor, command, flags)

    monkeypatch.setattr(fcntl, "fcntl", refusing)
    again = write_package(folder, FolderPackages(tmp_path / "other"), "L0")
    assert len(asked) == 1
    assert asked[0] & os.O_DIRECT
    assert (again.size, again.md5, again.sha256) == (usual.size, usual.md5, usual.sha256)
    assert (tmp_path / "other" / "L0" / again.name).read_bytes() == file_of(store, usual).read_bytes()


def test_killed_packager_leaves_nothing_that_counts(tmp_path: Path, store: FolderPackages) -> None:
    folder = product(tmp_path, GRANULE)
    with (folder / "IMG_DATA" / "B04.jp2").open("wb") as sparse:
        sparse.truncate(3 * 1024**3)
    script = "import sys; from pathlib import Path; from s2ps.publication.folder_packages import FolderPackages\n"
    script += "from s2ps.publication.packages import write_package\n"
    script += "write_package(Path(sys.argv[1]), FolderPackages(Path(sys.argv[2])), 'L0')"
    process = subprocess.Popen([sys.executable, "-c", script, folder, store.root])
    try:
        end = time.monotonic() + 60
        while not any(path.stat().st_size > BLOCK_BYTES for path in store.root.rglob("*.partial-*")):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        assert store.sweep(datetime.now(UTC)) == 0, "a living writer is left alone"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert store.names("L0") == ()
    assert len(unfinished(store.root)) == 1
    (folder / "IMG_DATA" / "B04.jp2").unlink()
    package = write_package(folder, store, "L0")
    assert unfinished(store.root) == []
    assert store.names("L0") == (package.name,)
    assert hashlib.sha256(file_of(store, package).read_bytes()).hexdigest() == package.sha256


def test_leftovers_are_swept(store: FolderPackages) -> None:
    dead = store.root / "L0" / "x.tar.partial-1"
    dead.parent.mkdir(parents=True)
    dead.write_bytes(b"half")
    assert store.names("L0") == ()
    assert store.sweep(datetime.now(UTC)) == 1
    assert not dead.exists()


def test_many_writers_of_one_object_and_one_folder(tmp_path: Path, store: FolderPackages) -> None:
    folder = product(tmp_path, PRODUCT)
    with ThreadPoolExecutor(8) as pool:
        same = {p.sha256 for p in pool.map(lambda _: write_package(folder, store, "L1C"), range(16))}
        list(pool.map(lambda n: (store.write(f"a/b/{n}", b"x", ""), store.delete(f"a/b/{n}")), range(200)))
    assert len(same) == 1
    assert store.names("") == ("L1C/",)
    assert unfinished(store.root) == []


def test_uri_and_key(tmp_path: Path, store: FolderPackages) -> None:
    assert store.key(store.uri("L0/a b.tar")) == "L0/a b.tar"
    with pytest.raises(ConfigurationError):
        store.key((tmp_path / "elsewhere").as_uri())


def test_folder_tells_kind_and_day() -> None:
    day = datetime(2026, 7, 1, tzinfo=UTC)
    assert folder_of(PRODUCT, day) == "L1C/2026/07/01"
    assert folder_of(GRANULE, day) == "L0/2026/07/01"
    assert folder_of("S2B_OPER_PRD_HKTM___20260701T101559_20260701T101614_0001", day) == "PRD_HKTM/2026/07/01"


def _as_if_large(large: int) -> Callable[..., bytes]:
    """Write what the headers hold where a real ZIP64 archive would have the largest 32-bit number."""
    plain = struct.pack

    def pack(form: str, *values: object) -> bytes:
        return plain(form, *(0xFFFFFFFF if value == large and "L" in form else value for value in values))

    return pack


def _content(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def test_copies_do_not_share_files_with_the_product(tmp_path: Path, store: FolderPackages) -> None:
    folder = product(tmp_path, GRANULE)
    package = write_package(folder, store, "L0")
    shutil.rmtree(folder)
    assert file_of(store, package).stat().st_size == package.size
