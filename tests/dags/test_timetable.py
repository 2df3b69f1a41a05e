"""The timetable of datatakes, its mapper, and the reference point of the deadlines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.exceptions import InvalidPartitionKeyError
from airflow.sdk import Asset
from airflow.serialization.encoders import ensure_serialized_asset

from s2ps_airflow import once
from s2ps_airflow.deadlines import InputAvailability, announced_t0
from s2ps_airflow.timetable import DatatakeMapper, DatatakeTimetable

pytestmark = pytest.mark.dags
DATATAKE = "GS2B_20260701T101559_043890_N05.00"
SENSED = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)


@pytest.fixture
def timetable() -> DatatakeTimetable:
    return DatatakeTimetable(
        assets=ensure_serialized_asset(Asset("s2ps_datatake")), default_partition_mapper=DatatakeMapper()
    )


def test_mapper_keeps_the_datatake_and_dates_it_by_sensing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(once, "announced_run", lambda dag_id, key: None)
    assert DatatakeMapper().to_downstream(DATATAKE) == DATATAKE
    assert DatatakeMapper().to_partition_date(DATATAKE) == SENSED
    with pytest.raises(ValueError, match="is no datatake id: expected one as GS2B_"):
        DatatakeMapper().to_downstream("S2B_20260701")


def test_timetable_is_partitioned_and_open_for_backfills(timetable: DatatakeTimetable) -> None:
    assert timetable.partitioned
    assert timetable.periodic
    assert timetable.next_dagrun_info_v2() is None
    assert timetable.resolve_partition_date(DATATAKE) == SENSED
    with pytest.raises(InvalidPartitionKeyError, match="nonsense"):
        timetable.resolve_partition_date("nonsense")


def test_backfill_lists_the_datatakes_of_the_inventory(
    timetable: DatatakeTimetable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s2ps.inventory.records import DatatakeRecord
    from s2ps.inventory.store import Inventory

    monkeypatch.setenv("S2PS_HOME", str(tmp_path))
    inventory = Inventory(tmp_path / "inventory.sqlite")
    for shift in (0, 1, 48):
        start = SENSED + timedelta(hours=shift)
        name = f"GS2B_{start:%Y%m%dT%H%M%S}_043890_N05.00"
        stop = start + timedelta(seconds=15)
        inventory.register_datatake(DatatakeRecord(name, "S2B", "INS-NOBS", start, stop, 43890, 65, stop, "S", 48))
    found = list(timetable.iter_partition_dagrun_infos(earliest=SENSED, latest=SENSED + timedelta(hours=1)))
    assert [info.partition_key for info in found] == [DATATAKE, "GS2B_20260701T111559_043890_N05.00"]
    assert [info.partition_date for info in found] == [SENSED, SENSED + timedelta(hours=1)]
    assert all(info.data_interval is None for info in found)


class Session:
    """Answers the two queries of the reference in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def scalar(self, _query: Any) -> Any:
        return self.answers.pop(0)


def run(kind: str, conf: dict[str, Any] | None = None, key: str | None = DATATAKE) -> SimpleNamespace:
    return SimpleNamespace(run_type=kind, conf=conf, partition_key=key)


def reference_time(*answers: Any) -> datetime | None:
    return InputAvailability()._evaluate_with(session=Session(*answers), dag_id="datatake", run_id="r")  # type: ignore[arg-type]


T0 = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)


def test_t0_comes_from_the_announcement_of_this_datatake() -> None:
    extra = {"datatakes": {DATATAKE: {"t0": T0.isoformat()}, "other": {"t0": "2020-01-01T00:00:00Z"}}}
    assert reference_time(run("asset_triggered"), SimpleNamespace(extra=extra, timestamp=None)) == T0
    assert announced_t0({"t0": "x"}, DATATAKE) == "x"
    assert announced_t0(None, DATATAKE) is None


def test_t0_of_the_configuration_wins_and_an_event_without_t0_counts_from_its_own_time() -> None:
    assert reference_time(run("manual", {"t0": "2026-07-01T11:00:00Z"})) == T0
    assert reference_time(run("asset_triggered"), SimpleNamespace(extra={}, timestamp=T0)) == T0


@pytest.mark.parametrize("known", [run("backfill", {"t0": "2026-07-01T11:00:00Z"}), run("manual"), None])
def test_no_clock_runs_for_backfills_and_manual_runs(known: Any) -> None:
    assert reference_time(known) is None


def test_the_reference_survives_serialisation() -> None:
    from airflow.serialization.decoders import decode_deadline_reference
    from airflow.serialization.encoders import encode_deadline_reference

    restored = decode_deadline_reference(encode_deadline_reference(InputAvailability()))
    assert restored.reference_name == "InputAvailability"
