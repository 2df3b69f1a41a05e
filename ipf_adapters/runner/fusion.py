"""Folder fusion: the outputs of several jobs as one directory of links."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ipf_adapters.runner.scratch import Scratch
from s2ps.execution.result import JobRecord, RecordedFile
from s2ps.model.errors import InputError
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


@dataclass(frozen=True, slots=True)
class Producer:
    """One finished job and the output type that is taken from it."""

    key: str
    """Place of the job in the staging."""
    folder: Path
    record: JobRecord
    output_type: str
    store: StagingStore | None
    """None: in the scratch of this machine."""


class Fusion:
    """Makes and remembers fused directories; safe from several threads and processes.

    A fused directory is named by the content of its producers, so it is made once per set of producers and again when
    one of them has been run again with another result. Its links are relative: the staging may be mounted elsewhere.
    Producers in several stores, or in the scratch of this machine, are joined here and not in a store.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._made: dict[tuple[str, ...], Path] = {}
        self._lock = threading.Lock()

    def fuse(self, datatake: str, producers: Sequence[Producer]) -> Path:
        """Return the directory that joins outputs of several jobs.

        The same relative path from two producers is accepted when the content is the same.
        Raises InputError naming both jobs when it differs.
        """
        remembered = (datatake, *(f"{producer.key}/{producer.output_type}" for producer in producers))
        with self._lock:
            if remembered not in self._made:
                self._made[remembered] = self._fuse(datatake, producers)
            return self._made[remembered]

    def _fuse(self, datatake: str, producers: Sequence[Producer]) -> Path:
        links = _links(producers)
        digest = hashlib.sha256()
        for path, (producer, entry) in sorted(links.items()):
            digest.update(f"{producer.key}\0{entry.path}\0{path}\0{entry.sha256}\n".encode())
        name = f"{producers[0].output_type}-{digest.hexdigest()[:32]}"
        store = producers[0].store
        if store is None or any(producer.store is not store for producer in producers):
            tree = self._scratch.root / name
            tree.mkdir()
            _link_all(tree, links)
            return tree
        key = layout.fused(datatake, name)
        if not store.exists(key):
            tree = store.begin(key)
            _link_all(tree, links)
            store.commit(tree, key)
        return store.open_local(key)


def _links(producers: Sequence[Producer]) -> dict[str, tuple[Producer, RecordedFile]]:
    links: dict[str, tuple[Producer, RecordedFile]] = {}
    for producer in producers:
        for entry in producer.record.files_of(producer.output_type):
            path = entry.path.removeprefix(f"{producer.output_type}/")
            other, same = links.setdefault(path, (producer, entry))
            if same.sha256 != entry.sha256:
                both = f"job {other.record.id} and by job {producer.record.id}"
                raise InputError(
                    f"{producer.output_type}/{path} is written by {both}",
                    expected="one producer for every file, or the same content from all",
                    next_step="have the processor put its part (detector, band, granules) into the file name",
                )
    return links


def _link_all(tree: Path, links: dict[str, tuple[Producer, RecordedFile]]) -> None:
    made: set[Path] = set()
    for path, (producer, entry) in links.items():
        link = tree / path
        if link.parent not in made:
            link.parent.mkdir(parents=True, exist_ok=True)
            made.add(link.parent)
        link.symlink_to(os.path.relpath(producer.folder / entry.path, link.parent))
