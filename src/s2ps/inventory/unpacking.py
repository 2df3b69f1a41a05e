"""Packages opened with care: nothing leaves the folder, nothing grows beyond limits, no links."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from s2ps.model.errors import InputError

MIB = 1024 * 1024
_PIECE = MIB
_LARGEST_HEADER = 16 * MIB
_COMPRESSIONS = ((b"\x1f\x8b", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\x00", lzma.open))
_NEXT = "do not use it; ask its provider for another one"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package may hold; one that holds more is taken for an attack."""

    members: int = 5_000
    size: int = 16 * 1024 * MIB
    """Bytes of all members together."""
    ratio: float = 200
    """Bytes of the members for each byte of the package, once they are more than `free`."""
    free: int = 64 * MIB


def is_package(path: Path) -> bool:
    """Tell whether a file is a tar (compressed or not) or zip archive, by what is in it."""
    return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))


def unpack(package: Path, target: Path, limits: Limits | None = None) -> list[Path]:
    """Write the files of a package below a folder and return their paths, in the order of the package.

    Raises InputError for a package that cannot be read, has members outside of the folder, links or devices, an
    encrypted member, two of one name, or more members or bytes than the limits allow. Reading stops there: a bomb is
    not unfolded first.
    """
    opened = _Opened(package, target, limits or Limits())
    try:
        return list(opened.zip() if zipfile.is_zipfile(package) else opened.tar())
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, EOFError, NotImplementedError) as error:
        raise InputError(f"package {package.name} cannot be read: {error}", next_step="fetch it again") from error
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile) or error.errno is None:
            raise InputError(f"package {package.name} cannot be read: {error}", next_step="fetch it again") from error
        raise


class _Opened:
    """A package that is being unpacked."""

    def __init__(self, package: Path, target: Path, limits: Limits) -> None:
        self._package = package
        self._target = target
        self._limits = limits
        self._largest = min(limits.size, max(limits.free, int(package.stat().st_size * limits.ratio)))
        self._names: set[str] = set()
        self._bytes = 0

    def tar(self) -> Iterator[Path]:
        with ExitStack() as stack:
            head = stack.enter_context(self._package.open("rb")).read(6)
            opener = next((opener for magic, opener in _COMPRESSIONS if head.startswith(magic)), None)
            raw = cast(IO[bytes], opener(self._package, "rb") if opener else self._package.open("rb"))
            stream = _Bounded(stack.enter_context(raw), self._package.name, self._largest + _LARGEST_HEADER)
            archive = stack.enter_context(tarfile.open(fileobj=stream, mode="r|"))  # type: ignore[call-overload]
            for member in archive:
                if member.isdir():
                    self._place(member.name)
                    continue
                if not member.isreg():
                    raise self._refused(f"member {member.name!r} is a link or a device", "plain files")
                source = archive.extractfile(member)
                if source is not None:
                    yield self._write(member.name, member.size, source)

    def zip(self) -> Iterator[Path]:
        with zipfile.ZipFile(self._package) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    self._place(member.filename)
                    continue
                kind = stat.S_IFMT(member.external_attr >> 16)
                if kind not in (0, stat.S_IFREG):
                    raise self._refused(f"member {member.filename!r} is a link or a device", "plain files")
                if member.flag_bits & 1:
                    raise self._refused(f"member {member.filename!r} is encrypted", "members without a password")
                with archive.open(member) as source:
                    yield self._write(member.filename, member.file_size, source)

    def _write(self, name: str, size: int, source: IO[bytes]) -> Path:
        path = self._place(name)
        self._count(size)
        path.parent.mkdir(parents=True, exist_ok=True)
        left = size
        with path.open("xb") as file:
            while piece := source.read(_PIECE):
                left -= len(piece)
                if left < 0:
                    raise self._refused(f"member {name!r} is larger than it says", f"{size} bytes")
                file.write(piece)
        return path

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > self._largest:
            raise self._refused(
                f"its members have more than {self._largest} bytes, {self._package.stat().st_size} packed",
                f"at most {self._limits.size} bytes and {self._limits.ratio:g} for each packed one",
            )

    def _place(self, name: str) -> Path:
        """Return where a member goes; refuse a name that leads elsewhere, or is there already."""
        parts = PurePosixPath(name).parts
        odd = not parts or any(part == ".." for part in parts) or "\\" in name or not name.isprintable()
        if odd or PurePosixPath(name).is_absolute() or (len(name) > 1 and name[1] == ":"):
            raise self._refused(f"member {name!r} would lie outside of it", "relative names without ..")
        if len(name) > 1024 or any(len(part) > 255 for part in parts):
            raise self._refused(f"member {name[:80]!r}... has a name of {len(name)} characters", "at most 255")
        key = "/".join(parts)
        if key in self._names and not (self._target / key).is_dir():
            raise self._refused(f"member {name!r} is in it twice", "one file of a name")
        self._names.add(key)
        if len(self._names) > self._limits.members:
            raise self._refused(f"it has more than {self._limits.members} members", f"{self._limits.members} at most")
        return self._target.joinpath(*parts)

    def _refused(self, why: str, expected: str) -> InputError:
        return InputError(f"package {self._package.name} is refused: {why}", expected=expected, next_step=_NEXT)


class _Bounded:
    """A stream that gives no more than a number of bytes, and no huge piece at once."""

    def __init__(self, source: IO[bytes], name: str, largest: int) -> None:
        self._source = source
        self._name = name
        self._left = largest

    def read(self, size: int = -1) -> bytes:
        """Read; raise InputError beyond the limits."""
        if size < 0 or size > _LARGEST_HEADER or self._left < 0:
            raise InputError(f"package {self._name} is refused: it unfolds to too many bytes", next_step=_NEXT)
        data = self._source.read(size)
        self._left -= len(data)
        return data


def concatenate(parts: list[Path], target: Path) -> None:
    """Write files one after the other into one."""
    with target.open("xb") as whole:
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole, _PIECE)
