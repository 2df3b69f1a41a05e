"""Raw data of sessions: is the work on a session over, and were its files removed?

Two kinds of marks lie beside the runs: `taken` of a session, written when a run takes it, and `whole` of a datatake,
running from its planning to the end of its run without failure.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, not_, select, update

from s2ps.inventory.arrival_records import Arrival
from s2ps.inventory.arrival_tables import ARRIVALS
from s2ps.inventory.exclusion import exclusive
from s2ps.inventory.records import RunRecord, RunState, SubjectKind
from s2ps.inventory.schema import DATATAKES, RUNS
from s2ps.inventory.statements import read
from s2ps.inventory.store import Inventory

TAKEN, WHOLE, LEVEL = "taken", "whole", "L0U"


class RawData:
    """Tells which sessions nothing is made of any more; every call is one transaction."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory

    def take(self, session: str, now: datetime) -> None:
        """Note that a run begins to make a session; waits for a removal of its files that is going on."""
        self._mark(TAKEN, "session", session, "running", now)

    def begin(self, datatake: str, now: datetime) -> None:
        """Note that a run makes a datatake."""
        self._mark(WHOLE, "datatake", datatake, "running", now)

    def finish(self, datatake: str, now: datetime) -> None:
        """Note that a datatake is made: every product its levels ask for is published."""
        self._mark(WHOLE, "datatake", datatake, "success", now)

    def over(self, before: datetime, session: str | None = None) -> tuple[Arrival, ...]:
        """Return the complete sessions that came, and of which everything was made, before a time; the oldest first."""
        query = select(ARRIVALS).where(_is_over(before)).order_by(ARRIVALS.c.completed_at, ARRIVALS.c.session)
        if session is not None:
            query = query.where(ARRIVALS.c.session == session)
        with self._inventory.engine.connect() as connection:
            return read(connection, Arrival, query)

    def abandoned(self, before: datetime, session: str | None = None) -> tuple[Arrival, ...]:
        """Return the sessions that were given up and of which nothing came since a time; the oldest first."""
        columns = ARRIVALS.c
        query = select(ARRIVALS).where(columns.state == "abandoned", columns.changed_at < before)
        if session is not None:
            query = query.where(columns.session == session)
        with self._inventory.engine.connect() as connection:
            return read(connection, Arrival, query.order_by(columns.changed_at, columns.session))

    def expire(self, session: str, before: datetime) -> bool:
        """Note that the files of a session are removed; return False when it is in work (again)."""
        query = update(ARRIVALS).where(ARRIVALS.c.session == session, _is_over(before)).values(state="expired")
        return self._inventory.write(lambda connection: connection.execute(query).rowcount == 1)

    def _mark(self, what: str, kind: SubjectKind, subject: str, state: RunState, now: datetime) -> None:
        with exclusive(self._inventory, subject):
            self._inventory.register_run(RunRecord(f"{subject}/{what}", kind, subject, "", what, state, now, now))


def _is_over(before: datetime) -> ColumnElement[bool]:
    """Return the condition on a session that nothing is made of its files any more."""
    cut, taken, whole = (RUNS.alias() for _ in range(3))
    taken_later = exists().where(taken.c.key == ARRIVALS.c.session + f"/{TAKEN}", taken.c.updated_at > cut.c.updated_at)
    was_cut = exists().where(
        cut.c.kind == "session", cut.c.subject == ARRIVALS.c.session, cut.c.from_level == LEVEL,
        cut.c.state == "success", cut.c.updated_at < before, not_(taken_later),
    )  # fmt: skip
    is_whole = exists().where(
        whole.c.key == DATATAKES.c.id + f"/{WHOLE}", whole.c.state == "success", whole.c.updated_at < before
    )
    in_work = exists().where(DATATAKES.c.session_id == ARRIVALS.c.session, not_(is_whole))
    return and_(ARRIVALS.c.state == "complete", ARRIVALS.c.completed_at < before, was_cut, not_(in_work))
