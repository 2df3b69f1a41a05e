"""What a staging store can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """One file below a key."""

    key: str
    size: int


class StagingStore(Protocol):
    """Files and trees by key (a relative path); trees appear whole or not at all.

    A POSIX store renames, an object store uploads and then writes a commit marker; callers see no difference:
    they write below the folder `begin` gives, then `commit` it.
    Keys are checked by every method; a bad one raises InputError. Missing keys raise StagingError.
    """

    @property
    def uri(self) -> str:
        """Return where the store is, in the form `open_store` takes."""

    def exists(self, key: str) -> bool:
        """Return True when a file or a committed tree has this key."""

    def list(self, key: str = "") -> Iterator[Entry]:
        """Yield the committed files below a key in the order of their names; nothing when the key is missing."""

    def children(self, key: str = "") -> tuple[str, ...]:
        """Return the sorted names directly below a key; empty when the key is missing."""

    def read(self, key: str) -> bytes:
        """Return the content of a (small) file."""

    def write(self, key: str, content: bytes) -> None:
        """Write a (small) file, replacing what was there in one step."""

    def open_log(self, key: str) -> BinaryIO:
        """Start a file that others can read while it grows (an object store: when it is closed).

        The caller can read it back and closes it. What was there before stays as `<key>.1`; two writers of one key
        get a file each and the later one is seen.
        """

    def put(self, source: Path, key: str) -> None:
        """Copy a local file or tree into the store; replace a file, refuse to replace a tree (StagingError)."""

    def get(self, key: str, target: Path) -> None:
        """Copy a file or tree to a local path that does not exist yet."""

    def delete(self, key: str) -> None:
        """Remove a file or tree; do nothing when it is missing."""

    def begin(self, key: str) -> Path:
        """Return a new empty local folder whose content can become the tree `key`."""

    def commit(self, tree: Path, key: str, *, replace: bool = False) -> bool:
        """Make a folder given by `begin` appear as `key` in one step.

        Return False, and remove the folder, when somebody else has committed the key before (without `replace`)
        or in the meantime (with it).
        """

    def discard(self, tree: Path) -> None:
        """Remove a folder given by `begin` that will not be committed."""

    def sweep(self, before: datetime) -> int:
        """Remove what unfinished work has left behind, if it was last touched before a moment; return how much."""

    def damage(self, key: str) -> str | None:
        """Say what a committed tree has lost, as far as the store can tell without reading it; None: nothing known.

        What a store fetches is verified when it is fetched; in a folder nothing is known.
        """

    @property
    def fetches(self) -> bool:
        """Return True when `open_local` brings files from elsewhere, and verifies them."""

    def open_local(self, key: str) -> Path:
        """Return a local path to read the file or tree from; an object store fetches it first."""

    def release(self, key: str) -> None:
        """Say that this process does not need the local copy of a tree any more; a folder has none."""

    def checksum(self, key: str) -> str:
        """Return the SHA-256 of a file as hexadecimal text."""
