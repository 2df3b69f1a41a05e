"""Which datatake a run produces, and how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

DATATAKE_DAG = "datatake"
SESSION_DAG = "session_ingestion"
HOUSEKEEPING_DAG = "housekeeping"
STATION_DAG = "station_ingestion"
"""First part of the names of the DAGs that poll a station."""
DATATAKE_ASSET = "s2ps_datatake"
SESSION_ASSET = "s2ps_session"

_DATATAKE = re.compile(r"GS2[A-Z]_(?P<start>\d{8}T\d{6})_\d{6}_N\d\d\.\d\d")
_SESSION = re.compile(r"S2[A-Z]_(?P<start>\d{14})\d{6}")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The choices a run was started with."""

    strategy: str | None
    processing_baseline: str | None
    from_level: str | None
    faults: tuple[str, ...] = ()


def sensing_start(datatake: str) -> datetime:
    """Return the sensing start written in a datatake id, UTC; raise ValueError when it is no datatake id."""
    match = _DATATAKE.fullmatch(datatake.strip())
    if match is None:
        raise ValueError(f"{datatake!r} is no datatake id: expected one as GS2B_20260701T101559_043890_N05.00")
    return datetime.strptime(match["start"], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def downlink_start(session: str) -> datetime:
    """Return the time written in a session id, UTC; raise ValueError when it is no session id."""
    match = _SESSION.fullmatch(session)
    if match is None:
        raise ValueError(f"{session!r} is no session id: expected one as S2B_20260701101759048123")
    return datetime.strptime(match["start"], "%Y%m%d%H%M%S").replace(tzinfo=UTC)


def datatake_id(context: Mapping[str, Any]) -> str:
    """Return the datatake of a run: its partition key, or the parameter `datatake` of a manual run."""
    key = getattr(context.get("dag_run"), "partition_key", None) or context.get("partition_key")
    chosen = str(key or context.get("params", {}).get("datatake") or "").strip()
    if not chosen:
        raise AirflowFailException(
            "this run names no datatake; expected: a partition key, or the parameter `datatake` in the trigger form; "
            "next: trigger the DAG again with one of them"
        )
    try:
        sensing_start(chosen)
    except ValueError as error:
        raise AirflowFailException(f"{error}; next: trigger the DAG again with a datatake of the inventory") from error
    return chosen


def options(context: Mapping[str, Any]) -> RunOptions:
    """Return the strategy, baseline, first level and faults chosen in the trigger form; None where left alone."""
    params = context.get("params", {})

    def text(name: str) -> str | None:
        value = params.get(name)
        return str(value).strip() or None if value is not None else None

    faults = params.get("faults") or ()
    injected = (faults,) if isinstance(faults, str) else tuple(str(fault) for fault in faults)
    return RunOptions(text("strategy"), text("processing_baseline"), text("from_level"), injected)


def parse_time(text: object) -> datetime | None:
    """Return an ISO 8601 time as an aware datetime (UTC when it has no zone); None when there is none."""
    if isinstance(text, datetime):
        moment = text
    elif isinstance(text, str) and text.strip():
        moment = datetime.fromisoformat(text.strip())
    else:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
