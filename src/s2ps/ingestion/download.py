"""The download engine: one file in parallel ranges, resumed after any break, checked, arriving by one rename."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from s2ps.ingestion.budget import Budget
from s2ps.ingestion.checks import RunningChecksum
from s2ps.ingestion.pieces import Pieces
from s2ps.ingestion.source import ChangedAtStation, RangesIgnored, Source, TransferError
from s2ps.model.errors import InputError, S2psError

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file and where it has to arrive."""

    target: Path
    edition: str
    size: int
    """Bytes, as published."""
    published: datetime
    """Becomes the time of modification of the file."""
    checksum: str = ""
    """`algorithm:value` where published."""


@dataclass(frozen=True, slots=True)
class Engine:
    """How files are fetched from one station."""

    parallel: int = 4
    piece: int = 8 * MEGABYTE
    """Bytes of a range."""
    budget: Budget = Budget(None)  # noqa: RUF009 - without a rate it holds no state
    inspect: Callable[[Path], None] = lambda path: None
    """Looks at a whole file before it arrives (malware); raises InputError to refuse it."""

    def fetch(self, source: Source, wanted: Wanted) -> bool:
        """Fetch a file; return False when another process is doing it.

        Raises TransferError when the transfer breaks (what came stays, the next call goes on), ChangedAtStation when
        the file is not the one that was listed, InputError when it is refused.
        """
        wanted.target.parent.mkdir(parents=True, exist_ok=True)
        part = wanted.target.with_name(f".{wanted.target.name}.part")
        with _mine(part) as descriptor:
            if descriptor is None:
                return False
            if _arrived(wanted):
                part.unlink()
                return True
            try:
                self._fill(source, wanted, part, descriptor)
            except (InputError, ChangedAtStation):
                part.with_suffix(".pieces").unlink(missing_ok=True)
                part.unlink(missing_ok=True)
                raise
            return True

    def _fill(self, source: Source, wanted: Wanted, part: Path, descriptor: int) -> None:
        """Fetch, check and rename. The journal of pieces goes first: without its bytes nobody may believe it."""
        whole = max(wanted.size, 1)
        try:
            pieces = self._fetch_all(source, wanted, part, descriptor, min(source.largest_piece or self.piece, whole))
        except RangesIgnored:
            pieces = self._fetch_all(source, wanted, part, descriptor, whole)
        os.fdatasync(descriptor)
        self.inspect(part)
        moment = wanted.published.timestamp()
        os.utime(descriptor, (moment, moment))
        pieces.forget()
        part.replace(wanted.target)
        _marker(wanted.target).write_text(wanted.edition)

    def _fetch_all(self, source: Source, wanted: Wanted, part: Path, descriptor: int, length: int) -> Pieces:
        journal = part.with_suffix(".pieces")
        if os.fstat(descriptor).st_size != wanted.size:
            journal.unlink(missing_ok=True)
        pieces = Pieces.open(journal, wanted.edition, wanted.size, length)
        os.truncate(descriptor, wanted.size)
        checksum = RunningChecksum(wanted.checksum, descriptor, pieces) if wanted.checksum else None
        self._fetch_pieces(source, descriptor, pieces, checksum)
        if checksum and not checksum.agrees():
            pieces.forget()
            raise TransferError(
                f"file {wanted.target.name} does not have its published checksum {wanted.checksum}",
                next_step="it is fetched again at the next poll; if it stays, ask the station",
            )
        return pieces

    def _fetch_pieces(self, source: Source, descriptor: int, pieces: Pieces, checksum: RunningChecksum | None) -> None:
        waiting = iter(pieces.waiting())
        lock, broken = threading.Lock(), threading.Event()

        def work() -> None:
            while not broken.is_set():
                with lock:
                    index = next(waiting, None)
                if index is None:
                    return
                try:
                    self._fetch_piece(source, descriptor, *pieces.span(index), broken)
                except (S2psError, OSError):
                    broken.set()
                    raise
                if not broken.is_set():
                    pieces.keep(index)
                    if checksum:
                        checksum.advance(broken.is_set)

        workers = min(self.parallel, len(pieces.waiting()))
        if workers == 1:
            work()
        elif workers:
            with ThreadPoolExecutor(workers, thread_name_prefix="range") as pool:
                results = [pool.submit(work) for _ in range(workers)]
            errors = [error for result in results if (error := result.exception())]
            if errors:
                raise min(errors, key=lambda error: not isinstance(error, ChangedAtStation | RangesIgnored))

    def _fetch_piece(self, source: Source, descriptor: int, offset: int, length: int, broken: threading.Event) -> None:
        end = offset + length
        for data in source.read(offset, length):
            if broken.is_set():
                return
            self.budget.spend(len(data))
            if offset + len(data) > end:
                raise TransferError(f"the station sent more than the {length} bytes asked for")
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)
            offset += len(data)
        if offset != end:
            raise TransferError(
                f"the transfer broke {end - offset} bytes before the end of a range", next_step="the next poll goes on"
            )
        _begin_writing(descriptor, end - length, length)


def _begin_writing(descriptor: int, offset: int, length: int) -> None:
    """Let the disk begin with a piece while others are still on their way; what it has not got yet stays in memory."""
    os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)


def _marker(target: Path) -> Path:
    return target.with_name(f".{target.name}.edition")


def forget(target: Path) -> None:
    """Remove a file that has arrived, and what is remembered of it."""
    target.unlink(missing_ok=True)
    _marker(target).unlink(missing_ok=True)


def _arrived(wanted: Wanted) -> bool:
    try:
        return wanted.target.is_file() and _marker(wanted.target).read_text() == wanted.edition
    except (FileNotFoundError, UnicodeDecodeError):
        return False


@contextmanager
def _mine(part: Path) -> Iterator[int | None]:
    """Open a file that only one process writes at a time; None while another does or when it has just arrived."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            here = part.stat().st_ino == os.fstat(descriptor).st_ino
        except (BlockingIOError, FileNotFoundError):
            here = False
        yield descriptor if here else None
    finally:
        os.close(descriptor)
