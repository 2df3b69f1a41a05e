"""A product as one archive, byte for byte the same whenever it is made: tar of an item, zip (stored) of a user product.

Sorted paths below the name of the product, one time, no owners, mode 0644. Images are compressed already, so that
nothing is gained by deflating them, and a stored zip lets single files be read by range.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.model.errors import PublicationError
from s2ps.model.timestamps import parse_compact
from s2ps.publication import zip_records

TAR, ZIP = "application/x-tar", "application/zip"
_TAR_END = 2 * tarfile.BLOCKSIZE
READ_BYTES = 256 * 1024
"""What stays in the cache of a core between reading and CRC."""
AHEAD = 4
"""Files whose CRC is found while others are written; a zip has it before the data."""


@dataclass(frozen=True, slots=True)
class Content:
    """A whole file inside an archive."""

    path: Path
    size: int


Segment = bytes | Content
"""A piece of an archive: bytes of its own, or a file."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive is made of; `segments` yields its pieces in order."""

    name: str
    content_type: str
    product: Path
    moment: datetime
    """Time of every file in it."""
    entries: tuple[tuple[str, Content], ...]

    def segments(self) -> Iterator[Segment]:
        """Yield the pieces; every file must keep its size meanwhile."""
        return self._zip() if self.content_type == ZIP else self._tar()

    def _tar(self) -> Iterator[Segment]:
        written = 0
        for name, content in self.entries:
            header = tarfile.TarInfo(name)
            header.size, header.mtime, header.mode = content.size, int(self.moment.timestamp()), 0o644
            start = header.tobuf(tarfile.PAX_FORMAT)
            padding = -content.size % tarfile.BLOCKSIZE
            yield start
            yield content
            yield bytes(padding)
            written += len(start) + content.size + padding
        yield bytes(_TAR_END + -(written + _TAR_END) % tarfile.RECORDSIZE)

    def _zip(self) -> Iterator[Segment]:
        offset = 0
        central: list[bytes] = []
        for name, content, crc in self._with_crc():
            record = zip_records.Record(name, content.size, crc, offset, self.moment)
            start = record.local_header()
            yield start
            yield content
            central.append(record.central_header())
            offset += len(start) + content.size
        directory = b"".join(central)
        yield directory + zip_records.end(len(central), len(directory), offset)

    def _with_crc(self) -> Iterator[tuple[str, Content, int]]:
        with ThreadPoolExecutor(1, thread_name_prefix="crc") as pool:
            waiting: deque[tuple[str, Content, Future[int]]] = deque()
            for name, content in self.entries:
                waiting.append((name, content, pool.submit(crc_of, content.path)))
                if len(waiting) > AHEAD:
                    first, file, found = waiting.popleft()
                    yield first, file, found.result()
            for first, file, found in waiting:
                yield first, file, found.result()


def archive_of(product: Path) -> Archive:
    """Return the archive of a published folder; raise PublicationError where it holds anything but files."""
    user = product.name.endswith(".SAFE")
    moment = _moment(product.name, last=user)
    if not product.is_dir():
        raise PublicationError(f"product {product} does not exist", next_step="publish it again")
    found = {path.relative_to(product.parent).as_posix(): path for path in product.rglob("*")}
    entries = tuple(
        (name, _content(path)) for name, path in sorted(found.items()) if path.is_symlink() or not path.is_dir()
    )
    suffix, kind = (".zip", ZIP) if user else (".tar", TAR)
    return Archive(product.name + suffix, kind, product, moment, entries)


def _moment(name: str, *, last: bool) -> datetime:
    """Return the time of creation in a name: the last one of a user product, else the first."""
    times = re.findall(r"\d{8}T\d{6}", name)
    if not times:
        raise PublicationError(f"{name} tells no time", expected="the name of an item or user product")
    return parse_compact(times[-1 if last else 0])


def _content(path: Path) -> Content:
    if path.is_symlink() or not path.is_file():
        raise PublicationError(
            f"{path} cannot be packaged", expected="files and folders only", next_step="report it: the product is odd"
        )
    return Content(path, path.stat().st_size)


def crc_of(path: Path) -> int:
    """Return the CRC-32 of a file as zip has it."""
    crc, buffer = 0, memoryview(bytearray(READ_BYTES))
    with path.open("rb", buffering=0) as stream:
        while read := stream.readinto(buffer):
            crc = zlib.crc32(buffer[:read], crc)
    return crc
