"""From the pieces of an archive to its place: read once, in large blocks that are written and hashed side by side.

MD5 takes longer than all the rest and cannot be divided, so it has a thread to itself; SHA-256 is found between two
reads.
"""

from __future__ import annotations

import hashlib
import mmap
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from s2ps.model.errors import PublicationError
from s2ps.publication.archive import Content, Segment

BLOCKS = 6
"""Blocks on their way at the same time; bounds the memory."""


class Sink(Protocol):
    """A place that takes an archive block by block."""

    block_bytes: int
    """Size of every block but the last."""
    writers: int
    """Blocks it takes at the same time."""

    def write(self, number: int, block: memoryview) -> None:
        """Keep a block (from 0), which begins at a page of memory; it is valid until the call returns."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Size in bytes and checksums (hexadecimal) of what was written."""

    size: int
    md5: str
    sha256: str


@dataclass(slots=True)
class _Block:
    data: mmap.mmap
    """Memory of its own: a sink may hand it to the disk as it is."""
    used: int = 0
    work: tuple[Future[None], ...] = ()

    @property
    def room(self) -> memoryview:
        return memoryview(self.data)[self.used :]

    def wait(self) -> None:
        """Wait until nobody needs the data; raise what went wrong."""
        for future in self.work:
            future.result()
        self.work, self.used = (), 0


class Pump:
    """Fills blocks with an archive and gives each to the sink and to both sums."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._busy = deque[_Block]()
        self._number = 0
        self._size = 0

    def run(self, segments: Iterable[Segment]) -> Digest:
        """Write everything; raise PublicationError for a file whose size changes, and what the sink raises."""
        with ExitStack() as stack:
            pools = [ThreadPoolExecutor(count, thread_name_prefix="pack") for count in (self._sink.writers, 1)]
            for pool in pools:
                stack.callback(pool.shutdown, cancel_futures=True)
            block = self._next()
            for segment in segments:
                block = self._fill(block, segment, pools)
            if block.used:
                self._send(block, pools)
            for each in self._busy:
                each.wait()
        return Digest(self._size, self._md5.hexdigest(), self._sha256.hexdigest())

    def _fill(self, block: _Block, segment: Segment, pools: list[ThreadPoolExecutor]) -> _Block:
        if isinstance(segment, Content):
            return self._fill_file(block, segment, pools)
        rest = memoryview(segment)
        while rest:
            taken = min(len(block.room), len(rest))
            block.room[:taken] = rest[:taken]
            block.used += taken
            rest = rest[taken:]
            block = self._if_full(block, pools)
        return block

    def _fill_file(self, block: _Block, content: Content, pools: list[ThreadPoolExecutor]) -> _Block:
        left = content.size
        with content.path.open("rb", buffering=0) as stream:
            while left:
                read = stream.readinto(block.room[:left])
                if not read:
                    break
                block.used += read
                left -= read
                block = self._if_full(block, pools)
            if left or stream.read(1):
                raise PublicationError(
                    f"{content.path} has changed while it was packaged",
                    expected=f"{content.size} bytes",
                    next_step="publish the product again",
                )
        return block

    def _if_full(self, block: _Block, pools: list[ThreadPoolExecutor]) -> _Block:
        if block.used < self._sink.block_bytes:
            return block
        self._send(block, pools)
        return self._next()

    def _send(self, block: _Block, pools: list[ThreadPoolExecutor]) -> None:
        data = memoryview(block.data)[: block.used]
        writers, md5 = pools
        block.work = (md5.submit(self._md5.update, data), writers.submit(self._sink.write, self._number, data))
        self._sha256.update(data)
        self._number += 1
        self._size += block.used
        self._busy.append(block)

    def _next(self) -> _Block:
        if len(self._busy) < BLOCKS:
            return _Block(mmap.mmap(-1, self._sink.block_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        block = self._busy.popleft()
        block.wait()
        return block
