"""Which auxiliary files there are, and which of them a datatake gets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from s2ps.inventory.auxiliary_types import AuxiliaryType, auxiliary_types, canonical_name
from s2ps.inventory.rules import MEANINGS, AuxiliaryFile, choose
from s2ps.model.bands import Band
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName
from s2ps.model.timestamps import compact, format_utc

ALL_UNITS = "S2_"
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
HEADER_EXTENSIONS = frozenset({".HDR", ".EOF"})
BAND_KEYS: tuple[str, ...] = tuple(band.name.removeprefix("B") for band in Band)
_OPEN_END = "99999999T999999"
_CATEGORIES = ("_AUX_", "_GIP_")


@dataclass(frozen=True, slots=True)
class Choice:
    """The files chosen for one type; `reason` says by which rule and out of how many."""

    type: str
    files: tuple[AuxiliaryFile, ...]
    reason: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the paths of the files; band-dependent ones in spectral order."""
        return tuple(file.path for file in self.files)


@dataclass(frozen=True, slots=True)
class Selection:
    """The auxiliary files of one run."""

    choices: tuple[Choice, ...]
    absent: tuple[str, ...] = ()
    """Optional types of which no file fits."""

    def paths(self, auxiliary_type: str) -> tuple[Path, ...]:
        """Return the paths for a type; empty for an absent optional one; raise InputError when it was not asked for."""
        for choice in self.choices:
            if choice.type == auxiliary_type:
                return choice.paths
        if auxiliary_type in self.absent:
            return ()
        raise InputError(f"auxiliary type {auxiliary_type} is not in the selection", next_step="select it as well")


@dataclass(frozen=True, slots=True)
class AuxiliaryIndex:
    """The auxiliary files of one or more folders, by their names."""

    folders: tuple[Path, ...]
    files: tuple[AuxiliaryFile, ...]
    ignored: tuple[Path, ...] = ()
    """Files that look like auxiliary files but whose name cannot be read."""
    _by_type: dict[str, list[AuxiliaryFile]] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for file in self.files:
            self._by_type.setdefault(file.type, []).append(file)

    @classmethod
    def scan(cls, *folders: Path) -> AuxiliaryIndex:
        """Read the names in the folders and below; raise InputError when a folder is missing."""
        found: list[AuxiliaryFile] = []
        ignored: list[Path] = []
        for folder in folders:
            if not folder.is_dir():
                raise InputError(
                    f"auxiliary folder {folder} is missing", next_step="correct the setting or mount the folder"
                )
            for path in _candidates(folder):
                file = _described(path)
                if file is None:
                    ignored.append(path)
                else:
                    found.append(file)
        return cls(folders, tuple(found), tuple(ignored))

    def select(self, types: Iterable[str], unit: str, start: datetime, stop: datetime) -> Selection:
        """Return the files of every type for one satellite and time.

        Files of the satellite come first, then those of all satellites (the other way round for types that do not
        depend on the unit). A band-dependent type gives 13 files. Raises one InputError naming every type (and band)
        that is missing, and CatalogueError for an unknown type.
        """
        choices: list[Choice] = []
        absent: list[str] = []
        missing: list[str] = []
        for name in dict.fromkeys(types):
            described = auxiliary_types()[canonical_name(name)]
            choice, lacking = self._choose(name, described, unit, start, stop)
            if not lacking:
                choices.append(choice)
            elif described.optional:
                absent.append(name)
            else:
                missing.append(lacking)
        if missing:
            where = ", ".join(str(folder) for folder in self.folders)
            raise InputError(
                f"auxiliary files for {unit} {format_utc(start)} to {format_utc(stop)} are missing: "
                + "; ".join(missing),
                expected=f"files of these types in {where}",
                next_step="add the files, or wait for them and plan again",
            )
        return Selection(tuple(choices), tuple(absent))

    def _choose(
        self, name: str, described: AuxiliaryType, unit: str, start: datetime, stop: datetime
    ) -> tuple[Choice, str]:
        """Return the choice and, when it is not complete, what is lacking."""
        known = self._by_type.get(canonical_name(name), [])
        order = (unit, ALL_UNITS) if described.unit_dependent else (ALL_UNITS, unit)
        rule = described.rule
        chosen: list[AuxiliaryFile] = []
        lacking: list[str] = []
        for band in BAND_KEYS if described.band_dependent else (None,):
            fitting = [file for file in known if file.band == band or band is None]
            by_unit = (choose(rule, [file for file in fitting if file.unit == one], start, stop) for one in order)
            best = next((files for files in by_unit if files), ())
            chosen += best
            if not best and band is not None:
                lacking.append(f"B{band}")
        reason = f"{rule.value} ({MEANINGS[rule]}) of {len(known)} files of the type"
        if chosen and not lacking:
            return Choice(name, tuple(chosen), reason), ""
        return Choice(name, tuple(chosen), reason), _lack(name, known, lacking, unit)


def _lack(name: str, known: list[AuxiliaryFile], bands: list[str], unit: str) -> str:
    usable = [file for file in known if file.unit in (unit, ALL_UNITS)]
    which = f"{name} band {', '.join(bands)}" if bands and len(bands) < len(BAND_KEYS) else name
    if not known:
        return f"{which} (no file of the type)"
    if not usable:
        return f"{which} ({len(known)} files, none for {unit} or all satellites)"
    first, last = min(file.start for file in usable), max(file.stop for file in usable)
    return f"{which} ({len(usable)} files for {unit}, valid within {compact(first)} to {compact(last)})"


def _candidates(folder: Path) -> Iterable[Path]:
    """Yield files and folders with a name like an auxiliary file; do not look inside such folders."""
    for base, folders, names in os.walk(folder):
        whole = sorted(name for name in folders if _auxiliary(name))
        folders[:] = sorted(set(folders) - set(whole))
        for name in sorted([*whole, *(name for name in names if _auxiliary(name))]):
            yield Path(base, name)


def _auxiliary(name: str) -> bool:
    return (
        name.startswith("S2")
        and any(mark in name for mark in _CATEGORIES)
        and Path(name).suffix not in HEADER_EXTENSIONS
    )


def _described(path: Path) -> AuxiliaryFile | None:
    try:
        name = PdiName.parse(path.name.replace(_OPEN_END, compact(FOREVER)))
    except InputError:
        return None
    if name.validity is not None:
        start, stop = name.validity
    elif name.sensing_start is not None:
        start, stop = name.sensing_start, FOREVER
    else:
        return None
    band = name.band if name.band in BAND_KEYS else None
    return AuxiliaryFile(path, name.file_type, name.unit, name.creation, start, stop, band)
