"""What was made of what: files and auxiliary files into runs, datastrips and products out of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from s2ps.inventory.records import RunRecord
from s2ps.inventory.schema import LINEAGE, RUNS
from s2ps.inventory.statements import put, upsert
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError

Kind = Literal["file", "session", "auxiliary", "datastrip", "product"]
Direction = Literal["input", "output"]
_AT_ONCE = 500
_OPPOSITE: dict[Direction, Direction] = {"input": "output", "output": "input"}


@dataclass(frozen=True, slots=True)
class Link:
    """Something that went into a run, or came out of it."""

    run: str
    kind: str
    name: str
    steps: int
    """Runs between it and what was asked for."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """All something was made of, and all that was made of it; the nearest first."""

    name: str
    origins: tuple[Link, ...]
    results: tuple[Link, ...]


def register_production(
    connection: Connection, run: RunRecord, inputs: Mapping[str, Kind], outputs: Mapping[str, Kind]
) -> None:
    """Keep a run with what went in and what came out; outputs of the same run are added to those before."""
    put(connection, RUNS, run, keep=("created_at",))
    sides: tuple[tuple[Direction, Mapping[str, Kind]], ...] = (("input", inputs), ("output", outputs))
    for direction, items in sides:
        for name, kind in items.items():
            values = {"run": run.key, "direction": direction, "name": name, "kind": kind}
            connection.execute(upsert(connection, LINEAGE, values, ("run", "direction", "name")))


def lineage(inventory: Inventory, name: str) -> Lineage:
    """Return origins and results of a file, session, auxiliary file, datastrip or product; InputError: unknown."""
    with inventory.engine.connect() as connection:
        known = connection.execute(select(LINEAGE.c.run).where(LINEAGE.c.name == name).limit(1)).first()
        if known is None:
            raise InputError(
                f"{name} has no part in any run of the inventory",
                expected="the name of a product, datastrip, session, session file or auxiliary file",
                next_step="look at the spelling, or at the runs of its datatake",
            )
        return Lineage(name, _follow(connection, name, "input"), _follow(connection, name, "output"))


def _follow(connection: Connection, name: str, wanted: Direction) -> tuple[Link, ...]:
    """Go from a name to all inputs before it, or to all outputs after it."""
    found: dict[str, Link] = {}
    names, steps = {name}, 1
    while names:
        columns = LINEAGE.c
        runs = set(_within(connection, names, "name", _OPPOSITE[wanted], "run"))
        fresh: dict[str, Link] = {}
        for part in _parts(runs):
            query = select(LINEAGE).where(columns.run.in_(part), columns.direction == wanted)
            for row in connection.execute(query.order_by(columns.run, columns.kind, columns.name)):
                if row.name not in found and row.name != name:
                    fresh.setdefault(row.name, Link(row.run, row.kind, row.name, steps))
        found |= fresh
        names, steps = set(fresh), steps + 1
    return tuple(found.values())


def _within(
    connection: Connection, values: Iterable[str], column: str, direction: Direction, wanted: str
) -> Iterable[str]:
    for part in _parts(values):
        query = select(LINEAGE.c[wanted]).where(LINEAGE.c[column].in_(part), LINEAGE.c.direction == direction)
        yield from connection.scalars(query.distinct())


def _parts(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _AT_ONCE] for start in range(0, len(ordered), _AT_ONCE))
