"""The auxiliary files of the inventory: what a name tells, where the file is, and whether it may be used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Column, Connection, Index, Table, Text, select

from s2ps.inventory.auxiliary import AuxiliaryIndex
from s2ps.inventory.auxiliary_types import auxiliary_types
from s2ps.inventory.columns import BIG, PathText, UtcText
from s2ps.inventory.meteorology import check_meteorology
from s2ps.inventory.rules import AuxiliaryFile
from s2ps.inventory.schema import METADATA
from s2ps.inventory.statements import put, read
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName

State = Literal["available", "gone", "refused", "withdrawn"]
AUXILIARY_FILES = Table(
    "auxiliary_files",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("band", Text),
    Column("file_class", Text, nullable=False),
    Column("baseline", Text, nullable=False),
    Column("creation", UtcText, nullable=False),
    Column("start", UtcText, nullable=False),
    Column("stop", UtcText, nullable=False),
    Column("path", PathText, nullable=False),
    Column("size", BIG, nullable=False),
    Column("modified", UtcText, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("package", Text, nullable=False),
    Column("added_at", UtcText, nullable=False),
    Index("auxiliary_files_by_type", "type", "unit", "start"),
)


@dataclass(frozen=True, slots=True)
class AuxiliaryRecord:
    """An auxiliary file (or folder) the inventory knows."""

    name: str
    type: str
    unit: str
    band: str | None
    file_class: str
    baseline: str
    creation: datetime
    start: datetime
    stop: datetime
    path: Path
    size: int
    modified: datetime
    sha256: str
    """Of the file; of a folder, of the names and checksums of its files."""
    state: State
    reason: str
    """Why it may not be used."""
    package: str
    """Name of the package it came in; empty for a plain file."""
    added_at: datetime

    @property
    def file(self) -> AuxiliaryFile:
        """Return what the rules need of it."""
        return AuxiliaryFile(
            self.path, self.type, self.unit, self.creation, self.start, self.stop, self.band, self.file_class
        )


@dataclass(frozen=True, slots=True)
class Fed:
    """What a look into the folder has changed: names of files."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class AuxiliaryFiles:
    """The auxiliary files of an inventory; a folder feeds it, `s2ps auxiliary add` as well."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def feed(self, folder: Path) -> Fed:
        """Look what is in a folder: keep what is new or has changed, and note what is gone.

        Meteorology is opened before it may be used; a file that cannot be read is kept as refused, with the reason.
        Raises InputError when the folder is missing.
        """
        # In this order: a file that is taken in meanwhile is new twice, not gone.
        known = {record.name: record for record in self.all() if _below(record.path, folder)}
        found = {file.path.name: file for file in reversed(AuxiliaryIndex.scan(folder).files)}
        records = [describe(file) for name, file in found.items() if not _same(known.get(name), file.path)]
        kept = [_kept(record, known.get(record.name)) for record in records]
        gone = [
            replace(record, state="gone", reason="it is no longer in the folder")
            for name, record in known.items()
            if name not in found and record.state in ("available", "refused")
        ]
        self._put([*kept, *gone])
        return Fed(
            tuple(record.name for record in kept if record.name not in known),
            tuple(record.name for record in kept if record.name in known),
            tuple(record.name for record in gone),
            tuple(record.name for record in kept if record.state == "refused"),
        )

    def add(self, record: AuxiliaryRecord) -> AuxiliaryRecord:
        """Keep a file."""
        self._put([record])
        return record

    def withdraw(self, name: str, reason: str) -> AuxiliaryRecord:
        """Keep a file from being chosen from now on; raise InputError for an unknown one."""
        record = replace(self.get(name), state="withdrawn", reason=reason)
        return self.add(record)

    def get(self, name: str) -> AuxiliaryRecord:
        """Return a file; raise InputError when the inventory does not know it."""
        with self._inventory.engine.connect() as connection:
            query = select(AUXILIARY_FILES).where(AUXILIARY_FILES.c.name == name)
            found = read(connection, AuxiliaryRecord, query)
        if not found:
            raise InputError(f"auxiliary file {name} is not in the inventory", next_step="run: s2ps auxiliary add")
        return found[0]

    def all(self, types: Iterable[str] | None = None) -> tuple[AuxiliaryRecord, ...]:
        """Return the files of some types, or of all, by name."""
        query = select(AUXILIARY_FILES).order_by(AUXILIARY_FILES.c.name)
        if types is not None:
            query = query.where(AUXILIARY_FILES.c.type.in_(list(types)))
        with self._inventory.engine.connect() as connection:
            return read(connection, AuxiliaryRecord, query)

    def _put(self, records: list[AuxiliaryRecord]) -> None:
        def keep_all(connection: Connection) -> None:
            for record in records:
                put(connection, AUXILIARY_FILES, record, keep=("added_at",))

        if records:
            self._inventory.write(keep_all)


def describe(file: AuxiliaryFile, package: str = "") -> AuxiliaryRecord:
    """Return the record of a file on disk; meteorology that is damaged is refused in it."""
    size, modified = _state(file.path)
    state: State = "available"
    reason = ""
    try:
        check_content(file.path, file.type)
    except InputError as error:
        state, reason = "refused", str(error)
    name = PdiName.parse(file.path.name.split("_99999999")[0].removesuffix(file.path.suffix))
    return AuxiliaryRecord(
        file.path.name, file.type, file.unit, file.band, file.file_class, name.baseline or "", file.creation,
        file.start, file.stop, file.path, size, modified, checksum(file.path), state, reason, package,
        datetime.now(UTC),
    )  # fmt: skip


def check_content(path: Path, auxiliary_type: str) -> None:
    """Open a file as far as its type asks for it; raises InputError when it is not what it should be."""
    described = auxiliary_types().get(auxiliary_type)
    if described is not None and described.fields:
        check_meteorology(_files(path), described.fields, path.name)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, or of the names and checksums of the files of a folder."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    lines = [f"{checksum(item)}  {item.relative_to(path).as_posix()}\n" for item in _files(path)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())


def _state(path: Path) -> tuple[int, datetime]:
    """Return size and time of the latest change of a file, or of all files of a folder."""
    status = [item.stat() for item in [path, *(_files(path) if path.is_dir() else [])]]
    size = sum(item.st_size for item in status[1:]) if path.is_dir() else status[0].st_size
    return size, datetime.fromtimestamp(max(item.st_mtime for item in status), UTC)


def _same(record: AuxiliaryRecord | None, path: Path) -> bool:
    if record is None or record.state == "gone" or record.path != path:
        return False
    return (record.size, record.modified) == _state(path)


def _kept(record: AuxiliaryRecord, before: AuxiliaryRecord | None) -> AuxiliaryRecord:
    """Return a file as it is kept: what was withdrawn stays so while its content is the same."""
    if before is None:
        return record
    record = replace(record, package=record.package or before.package)
    if before.state == "withdrawn" and before.sha256 == record.sha256:
        return replace(record, state=before.state, reason=before.reason)
    return record


def _below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder)
