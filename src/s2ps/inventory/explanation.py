"""Why a datatake gets an auxiliary file, and why it does not get the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from s2ps.inventory.auxiliary import ALL_UNITS, Slot, unit_order
from s2ps.inventory.auxiliary_files import AuxiliaryRecord
from s2ps.inventory.auxiliary_types import canonical_name
from s2ps.inventory.rules import CLIMATOLOGY, MEANINGS, AuxiliaryFile, Rule, Window
from s2ps.model.timestamps import format_utc

State = Literal["chosen", "fallback", "absent", "missing"]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A file that is not chosen."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a type, or one band of it, gets."""

    type: str
    band: str | None
    rule: str
    optional: bool
    state: State
    chosen: tuple[str, ...]
    why: str
    rejected: tuple[Rejected, ...]


def explain(slot: Slot, records: Iterable[AuxiliaryRecord], unit: str, start: datetime, stop: datetime) -> Explanation:
    """Return why a slot has its files, among all files of its type and band that the inventory knows."""
    canonical = canonical_name(slot.type)
    known = [record for record in records if record.type == canonical and slot.band in (None, record.band)]
    taken = {file.path for file in slot.files}
    window = Window(start, stop)
    rejected = tuple(
        Rejected(record.name, _why_not(record, slot, unit, window)) for record in known if record.path not in taken
    )
    state, why = _outcome(slot, len(known))
    names = tuple(file.path.name for file in slot.files)
    rule = slot.described.rule.value
    return Explanation(slot.type, slot.band, rule, slot.described.optional, state, names, why, rejected)


def _outcome(slot: Slot, known: int) -> tuple[State, str]:
    rule = slot.described.rule
    if slot.fallback is not None:
        return "fallback", f"{slot.fallback.meaning}; no file fits {rule.value}"
    if slot.files:
        return "chosen", f"{MEANINGS[rule]}, of {known}"
    nothing = "the inventory knows no file of it" if known == 0 else f"none of {known} files fits"
    return ("absent", f"{nothing}; it is optional") if slot.described.optional else ("missing", nothing)


def _why_not(record: AuxiliaryRecord, slot: Slot, unit: str, window: Window) -> str:
    """Return the first reason for which a file is left out."""
    if record.state != "available":
        return f"{record.state}: {record.reason}"
    if record.unit not in (unit, ALL_UNITS):
        return f"it is for {record.unit}, not for {unit}"
    if record.file_class == CLIMATOLOGY:
        return "a climatology stands in only when nothing else has come in time"
    if slot.described.rule not in _ANY_TIME and not window.covered_by(record.file):
        return f"valid {format_utc(record.start, digits=0)} to {format_utc(record.stop, digits=0)} only"
    return _beaten(record, slot, unit)


def _beaten(record: AuxiliaryRecord, slot: Slot, unit: str) -> str:
    if not slot.files:
        return "it does not fit the rule"
    best: AuxiliaryFile = slot.files[0]
    order = unit_order(slot.described, unit)
    if best.unit != record.unit and best.unit in order:
        return f"files of {best.unit if best.unit != ALL_UNITS else 'all satellites'} come first"
    if record.creation < best.creation:
        return f"created {format_utc(record.creation, digits=0)}, before the chosen one"
    return "another one fits the rule better"


_ANY_TIME = frozenset(Rule) - {
    Rule.VAL_COVER,
    Rule.LATEST_VAL_COVER,
    Rule.BEST_CENTERED_COVER,
    Rule.LATEST_VAL_COVER_CLOSEST,
    Rule.LATEST_VAL_COVER_NEWEST_VALIDITY,
}
"""Rules for which a file need not be valid during the whole window."""
