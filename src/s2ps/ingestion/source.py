"""A remote file that is read in ranges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from s2ps.model.errors import S2psError

Block = bytes | memoryview


class TransferError(S2psError):
    """A transfer broke; the next poll goes on where it stopped."""

    retryable = True


class ChangedAtStation(TransferError):
    """The file is not the one that was listed: it grew or was published anew."""


class RangesIgnored(TransferError):
    """The station sends the whole file whatever range it is asked for: it is fetched in one piece."""


class Source(Protocol):
    """One edition of a remote file; `read` may be called by several threads at once."""

    largest_piece: int | None
    """Bytes one read should ask for at most; None: the engine decides."""

    def read(self, offset: int, length: int) -> Iterator[Block]:
        """Yield exactly `length` bytes from `offset`; a block is valid until the next one is asked for.

        Raises TransferError when it breaks, ChangedAtStation when it is another edition, RangesIgnored when only the
        whole file can be had.
        """

    def close(self) -> None:
        """Close what was opened for this file."""
