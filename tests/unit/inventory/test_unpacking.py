"""Packages opened with care: attacks are refused, and nothing of them is left outside of the folder."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from s2ps.inventory.unpacking import MIB, Limits, is_package, unpack
from s2ps.model.errors import InputError

pytestmark = pytest.mark.unit
SMALL = Limits(members=20, size=4 * MIB, ratio=50, free=MIB)


def tar(path: Path, *members: tuple[str, bytes], change: Callable[[tarfile.TarInfo], None] | None = None) -> Path:
    mode = "w:gz" if path.suffix.upper() in (".TGZ", ".GZ") else "w"
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            if change:
                change(info)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path: Path, *members: tuple[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return path


MAKERS = [(tar, "p.tar"), (tar, "p.TGZ"), (zipped, "p.zip")]
KINDS = ["tar", "tgz", "zip"]


@pytest.mark.parametrize(("make", "name"), MAKERS, ids=KINDS)
def test_files_come_out_as_they_were(make: Callable[..., Path], name: str, tmp_path: Path) -> None:
    package = make(tmp_path / name, ("a.xml", b"one"), ("deep/b.DBL", b"two" * 1000), ("c", b""))
    assert is_package(package)
    found = unpack(package, tmp_path / "out")
    assert [item.relative_to(tmp_path / "out").as_posix() for item in found] == ["a.xml", "deep/b.DBL", "c"]
    assert (tmp_path / "out/deep/b.DBL").read_bytes() == b"two" * 1000


@pytest.mark.parametrize(("make", "name"), MAKERS, ids=KINDS)
@pytest.mark.parametrize(
    "evil", ["../evil", "/tmp/evil", "a/../../evil", "..", "a\\..\\evil", "C:evil", "new\nline", "x" * 300],
    ids=["parent", "absolute", "inside", "only", "backslash", "drive", "newline", "long"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(make: Callable[..., Path], name: str, evil: str, tmp_path: Path) -> None:
    package = make(tmp_path / name, (evil, b"evil"))
    before = {path for path in tmp_path.rglob("*")}
    with pytest.raises(InputError, match="is refused: member"):
        unpack(package, tmp_path / "out" / "here", SMALL)
    assert {path for path in tmp_path.rglob("*")} - before <= {tmp_path / "out", tmp_path / "out/here"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname, info.size = kind, "/etc/passwd", 0

    with pytest.raises(InputError, match="link or a device"):
        unpack(tar(tmp_path / "p.tar", ("link", b""), change=change), tmp_path / "out")


def test_links_in_zip_are_refused(tmp_path: Path) -> None:
    package = zipped(tmp_path / "p.zip", ("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777)
    with pytest.raises(InputError, match="link or a device"):
        unpack(package, tmp_path / "out")


@pytest.mark.parametrize(("make", "name"), MAKERS, ids=KINDS)
def test_too_many_members_are_refused(make: Callable[..., Path], name: str, tmp_path: Path) -> None:
    package = make(tmp_path / name, *((f"f{number}", b"x") for number in range(21)))
    with pytest.raises(InputError, match="more than 20 members"):
        unpack(package, tmp_path / "out", SMALL)


@pytest.mark.parametrize(("make", "name"), MAKERS, ids=KINDS)
def test_too_many_bytes_are_refused(make: Callable[..., Path], name: str, tmp_path: Path) -> None:
    noise = bytes(range(256)) * (MIB // 256)
    package = make(tmp_path / name, *((f"f{number}", noise) for number in range(5)))
    with pytest.raises(InputError, match="more than"):
        unpack(package, tmp_path / "out", SMALL)


@pytest.mark.parametrize(("make", "name"), MAKERS[1:], ids=KINDS[1:])
def test_what_unfolds_too_far_is_refused_before_it_is_written(
    make: Callable[..., Path], name: str, tmp_path: Path
) -> None:
    package = make(tmp_path / name, ("zeros", bytes(3 * MIB)))
    with pytest.raises(InputError, match="50 for each packed one"):
        unpack(package, tmp_path / "out", SMALL)
    assert not (tmp_path / "out/zeros").exists()


def test_a_compressed_header_without_end_is_refused(tmp_path: Path) -> None:
    """A header of a tar file may announce a name of gigabytes, which would be read into memory."""
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 33
    package = tmp_path / "p.TGZ"
    with gzip.open(package, "wb") as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            file.write(bytes(MIB))
    with pytest.raises(InputError, match=r"too many bytes|cannot be read"):
        unpack(package, tmp_path / "out", SMALL)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="twice"):
        unpack(tar(tmp_path / "p.tar", ("a", b"1"), ("a", b"2")), tmp_path / "out")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    package = zipped(tmp_path / "p.zip", ("a", b"secret"))
    data = bytearray(package.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    package.write_bytes(data)
    with pytest.raises(InputError, match="encrypted"):
        unpack(package, tmp_path / "out")


@pytest.mark.parametrize(("make", "name"), MAKERS, ids=KINDS)
def test_a_cut_package_is_named(make: Callable[..., Path], name: str, tmp_path: Path) -> None:
    noise = bytes((number * 7919) % 251 for number in range(100_000))
    package = make(tmp_path / name, ("a.DBL", noise))
    package.write_bytes(package.read_bytes()[: package.stat().st_size // 2])
    with pytest.raises(InputError, match=rf"package {name}"):
        unpack(package, tmp_path / "out")
