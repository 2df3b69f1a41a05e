"""A file behind HTTP, read in ranges."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import httpx

from s2ps.ingestion.raw_http import RawAnswer
from s2ps.ingestion.source import Block, ChangedAtStation, RangesIgnored, TransferError
from s2ps.ingestion.web import Web

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class WebSource:
    """One edition of a file at a URL; safe in threads."""

    largest_piece: int | None = None

    def __init__(self, web: Web, url: httpx.URL, size: int) -> None:
        self._web, self._url, self._size = web, url, size
        self._lock = threading.Lock()
        self._validator: str | None = None
        self._has_ranges = False

    def read(self, offset: int, length: int) -> Iterator[Block]:
        """Yield a range. Where a server sends the whole file now and then, what is before the range is thrown away."""
        headers = {"Range": f"bytes={offset}-{offset + length - 1}", "Accept-Encoding": "identity"}
        with self._web.download(self._url, headers) as answer:
            yield from answer.blocks(length, self._start(answer, offset, length))

    def close(self) -> None:
        """Do nothing: connections belong to the station."""

    def _start(self, answer: RawAnswer, offset: int, length: int) -> int:
        """Return how many bytes come before the range; raise when it is not the range of this file."""
        status = answer.status
        if status in (404, 410, 412, 416):
            raise ChangedAtStation(f"the station answered {status} to a range of {self._url.path}: it has changed")
        if status not in (200, 206):
            raise TransferError(
                f"the station answered {status} to the download of {self._url.path}",
                expected="206 or 200",
                next_step="the next poll tries again",
            )
        if (answer.header("Content-Encoding") or "identity") != "identity":
            raise TransferError(f"the station sent {self._url.path} encoded, though it was asked not to")
        self._same_edition(answer)
        if status == 200:
            self._same_size(answer.header("Content-Length"))
            if length < self._size and not self._has_ranges:
                raise RangesIgnored(f"the station knows no ranges of {self._url.path}")
            return offset
        found = _RANGE.fullmatch(answer.header("Content-Range") or "")
        if found is not None:
            self._same_size(found[3])
        if found is None or (int(found[1]), int(found[2])) != (offset, offset + length - 1):
            raise TransferError(
                f"the station sent the range {answer.header('Content-Range')!r} of {self._url.path}",
                expected=f"bytes {offset}-{offset + length - 1}",
            )
        self._has_ranges = True
        return 0

    def _same_size(self, told: str | None) -> None:
        if told is not None and told.isdecimal() and int(told) != self._size:
            raise ChangedAtStation(f"{self._url.path} has {told} bytes now, {self._size} were listed")

    def _same_edition(self, answer: RawAnswer) -> None:
        validator = answer.header("ETag") or answer.header("Last-Modified")
        with self._lock:
            if self._validator is None:
                self._validator = validator
            elif validator is not None and validator != self._validator:
                raise ChangedAtStation(f"{self._url.path} was published again while it was fetched")
