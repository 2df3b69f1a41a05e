"""Which auxiliary files there are, and which of them a datatake gets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from s2ps.inventory.auxiliary_names import BAND_KEYS, candidates, check_folder, described
from s2ps.inventory.auxiliary_types import AuxiliaryType, auxiliary_types, canonical_name
from s2ps.inventory.rules import CLIMATOLOGY, MEANINGS, AuxiliaryFile, Fallback, choose, choose_fallback
from s2ps.model.errors import InputError
from s2ps.model.timestamps import compact, format_utc

ALL_UNITS = "S2_"


@dataclass(frozen=True, slots=True)
class Slot:
    """What one type, or one band of it, gets."""

    type: str
    described: AuxiliaryType
    band: str | None
    files: tuple[AuxiliaryFile, ...]
    fallback: Fallback | None = None
    """The fallback by which the files were taken; None: by the rule."""

    @property
    def label(self) -> str:
        """Type and band, for people."""
        return f"{self.type} band B{self.band}" if self.band else self.type


@dataclass(frozen=True, slots=True)
class Choice:
    """The files chosen for one type; `reason` says by which rule and out of how many."""

    type: str
    files: tuple[AuxiliaryFile, ...]
    reason: str
    fallback: str = ""
    """What stands in for the right file, where one does."""

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

    @property
    def degraded(self) -> tuple[str, ...]:
        """Return what was taken by a fallback, as texts; empty when all files are the right ones."""
        return tuple(f"{choice.type}: {choice.fallback}" for choice in self.choices if choice.fallback)

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
    """Auxiliary files that may be chosen, and where they lie."""

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
            check_folder(folder)
            for path in candidates(folder):
                file = described(path)
                if file is None:
                    ignored.append(path)
                else:
                    found.append(file)
        return cls(folders, tuple(found), tuple(ignored))

    def slots(
        self, types: Iterable[str], unit: str, start: datetime, stop: datetime, *, fallback: bool = False
    ) -> Iterator[Slot]:
        """Yield what every type (and band) gets by its rule, or by its fallbacks where these are allowed.

        Files of the satellite come first, then those of all satellites (the other way round for types that do not
        depend on the unit). Raises CatalogueError for an unknown type.
        """
        for name in dict.fromkeys(types):
            canonical = canonical_name(name)
            kind = auxiliary_types()[canonical]
            known = self._by_type.get(canonical, [])
            for band in BAND_KEYS if kind.band_dependent else (None,):
                fitting = [file for file in known if band is None or file.band == band]
                usual = [file for file in fitting if file.file_class != CLIMATOLOGY]
                groups = [[file for file in usual if file.unit == one] for one in unit_order(kind, unit)]
                files = next((best for group in groups if (best := choose(kind.rule, group, start, stop))), ())
                if files or not fallback:
                    yield Slot(name, kind, band, files)
                else:
                    yield _fallen_back(Slot(name, kind, band, ()), fitting, unit, start, stop)

    def select(
        self, types: Iterable[str], unit: str, start: datetime, stop: datetime, *, fallback: bool = False
    ) -> Selection:
        """Return the files of every type for one satellite and time; a band-dependent type gives 13 files.

        With `fallback`, what a type declares may stand in for a file that is not there. Raises one InputError naming
        every type (and band) that is missing, and CatalogueError for an unknown type.
        """
        by_type: dict[str, list[Slot]] = {}
        for slot in self.slots(types, unit, start, stop, fallback=fallback):
            by_type.setdefault(slot.type, []).append(slot)
        whole = {name: all(slot.files for slot in slots) for name, slots in by_type.items()}
        missing = [
            self._lack(slots, unit)
            for name, slots in by_type.items()
            if not whole[name] and not slots[0].described.optional
        ]
        if missing:
            where = ", ".join(str(folder) for folder in self.folders)
            raise InputError(
                f"auxiliary files for {unit} {format_utc(start)} to {format_utc(stop)} are missing: "
                + "; ".join(missing),
                expected=f"files of these types in {where}",
                next_step="add the files, or wait for them and plan again",
            )
        chosen = tuple(self._choice(slots) for name, slots in by_type.items() if whole[name])
        return Selection(chosen, tuple(name for name in by_type if not whole[name]))

    def _choice(self, slots: Sequence[Slot]) -> Choice:
        first, rule = slots[0], slots[0].described.rule
        count = len(self._by_type.get(canonical_name(first.type), []))
        reason = f"{rule.value} ({MEANINGS[rule]}) of {count} files of the type"
        stands_in = next((slot.fallback.meaning for slot in slots if slot.fallback), "")
        return Choice(first.type, tuple(file for slot in slots for file in slot.files), reason, stands_in)

    def _lack(self, slots: Sequence[Slot], unit: str) -> str:
        name, known = slots[0].type, self._by_type.get(canonical_name(slots[0].type), [])
        bands = [f"B{slot.band}" for slot in slots if not slot.files and slot.band]
        usable = [file for file in known if file.unit in (unit, ALL_UNITS)]
        which = f"{name} band {', '.join(bands)}" if bands and len(bands) < len(BAND_KEYS) else name
        if not known:
            return f"{which} (no file of the type)"
        if not usable:
            return f"{which} ({len(known)} files, none for {unit} or all satellites)"
        first, last = min(file.start for file in usable), max(file.stop for file in usable)
        return f"{which} ({len(usable)} files for {unit}, valid within {compact(first)} to {compact(last)})"


def unit_order(kind: AuxiliaryType, unit: str) -> tuple[str, str]:
    """Return whose files come first."""
    return (unit, ALL_UNITS) if kind.unit_dependent else (ALL_UNITS, unit)


def _fallen_back(slot: Slot, fitting: Sequence[AuxiliaryFile], unit: str, start: datetime, stop: datetime) -> Slot:
    usable = [file for file in fitting if file.unit in (unit, ALL_UNITS)]
    for fallback in slot.described.fallback:
        files = choose_fallback(fallback, usable, start, stop)
        if files:
            return Slot(slot.type, slot.described, slot.band, files, fallback)
    return slot
