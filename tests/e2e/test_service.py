"""The whole service under Airflow: from a session to products, again, in part, and by dates."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from e2e.conftest import Demo, command

from s2ps.embedded.rest import TaskProgress
from s2ps.publication.provenance import Provenance

pytestmark = pytest.mark.e2e
LIMIT = 1200


def tasks_of(demo: Demo, run_id: str) -> dict[tuple[str, str], TaskProgress]:
    return {(task.task_id, task.label): task for task in demo.client.task_instances("datatake", run_id)}


def wait_for(demo: Demo, run_id: str) -> str:
    return demo.client.wait("datatake", run_id, LIMIT)


def first_run(demo: Demo) -> str:
    runs = [run for run in demo.client.runs("datatake") if run["run_type"] == "asset_triggered"]
    return str(runs[-1]["dag_run_id"])


def identity(products: list[Path]) -> dict[str, tuple[int, float]]:
    return {path.name: (path.stat().st_ino, path.stat().st_mtime) for path in products}


def test_the_demonstration_ends_with_products_times_and_the_login(demo: Demo) -> None:
    tiles = {path.name.split("_")[5] for path in demo.products("L1C")}
    assert len(tiles) >= 4
    assert {path.name.split("_")[5] for path in demo.products("L2A")} == tiles
    for path in (*demo.products("L1C"), *demo.products("L2A")):
        assert path.name in demo.output
        assert Provenance.load(path).plan_hash
    for level in ("L0U", "L0", "L1A", "L1B", "L1C", "L2A"):
        assert f"\n{level} " in demo.output
    assert demo.airflow.url in demo.output
    assert demo.airflow.password in demo.output
    assert "make demo-stop" in demo.output


def test_one_run_per_datatake_every_tile_named_after_its_square(demo: Demo) -> None:
    run_id = first_run(demo)
    tasks = tasks_of(demo, run_id)
    labels = {label for name, label in tasks if name == "tile.l1c_tile"}
    assert labels == {path.name.split("_")[5].removeprefix("T") for path in demo.products("L1C")}
    skipped = {name for (name, _), task in tasks.items() if task.state == "skipped"}
    assert "L1B.l1b_geometry_unrefined" in skipped
    assert "L1A.publish_l1a" in skipped
    log = demo.client.log("datatake", run_id, "L1A.l1a_radiometry", 1, 0)
    assert "DECOMP" in log
    assert "RADIO_AB" in log


def test_the_demonstration_ends_with_a_service_that_finds_the_products(demo: Demo) -> None:
    (address,) = re.findall(r"PRIP +(http://\S+)", demo.output)
    answer = httpx.get(address, params={"$filter": "contains(Name,'MSIL1C')", "$top": "50"})
    assert answer.status_code == 200, answer.text
    found = {row["Name"].partition(".")[0] for row in answer.json()["value"]}
    assert found == {path.name.partition(".")[0] for path in demo.products("L1C")}


def test_a_second_demonstration_starts_nothing_and_a_run_by_hand_reuses_everything(demo: Demo) -> None:
    before = identity([*demo.products("L1C"), *demo.products("L2A")])
    done = command(demo.home, "demo", "--scale", "30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert identity([*demo.products("L1C"), *demo.products("L2A")]) == before
    assert len(demo.client.runs("datatake")) == len(demo.client.runs("session_ingestion")) == 1
    newest = demo.client.trigger("datatake", {"datatake": demo.datatake}, partition_key=demo.datatake)
    assert wait_for(demo, newest) == "success"
    assert identity([*demo.products("L1C"), *demo.products("L2A")]) == before
    log = demo.client.log("datatake", newest, "L1A.l1a_radiometry", 1, 0)
    assert " 0 jobs done" in log.replace("radiometry:", "radiometry: ").replace("  ", " ")


def test_a_failed_tile_leaves_its_siblings_and_is_mended_by_clearing(demo: Demo) -> None:
    before = demo.products("L2A")
    tile = before[0].name.split("_")[5].removeprefix("T")
    fault = f"SEN2COR_TL:tile={tile}:fail:133"
    run_id = demo.client.trigger(
        "datatake", {"datatake": demo.datatake, "from_level": "L2A", "faults": [fault]}, partition_key=demo.datatake
    )
    assert wait_for(demo, run_id) == "failed"
    tasks = tasks_of(demo, run_id)
    states = {label: task.state for (name, label), task in tasks.items() if name == "tile.l2a_tile"}
    assert states.pop(tile) == "failed"
    assert set(states.values()) == {"success"}
    failed = tasks["tile.l2a_tile", tile]
    log = demo.client.log("datatake", run_id, "tile.l2a_tile", failed.try_number, failed.map_index)
    assert "SEN2COR_TL" in log
    assert "133" in log
    assert len(demo.products("L2A")) == 2 * len(before) - 1
    mended = demo.client.trigger("datatake", {"datatake": demo.datatake}, partition_key=demo.datatake)
    assert wait_for(demo, mended) == "success"
    assert len(demo.products("L2A")) == 2 * len(before)


def test_clearing_one_publication_runs_only_what_follows(demo: Demo) -> None:
    run_id = first_run(demo)
    before = {key: task.try_number for key, task in tasks_of(demo, run_id).items()}
    demo.client.clear("datatake", run_id, ["tile.publish_l1c"])
    assert wait_for(demo, run_id) == "success"
    again = {key[0] for key, task in tasks_of(demo, run_id).items() if task.try_number > before[key]}
    assert "tile.publish_l1c" in again
    assert "tile.l1c_tile" not in again
    assert "L1A.l1a_radiometry" not in again


def test_a_backfill_runs_the_datatakes_sensed_in_a_time_range(demo: Demo) -> None:
    start = demo.inventory.datatake(demo.datatake).start
    earlier = {run["dag_run_id"] for run in demo.client.runs("datatake")}
    done = demo.airflow.command(
        "backfill", "create", "--dag-id", "datatake", "--from-date", (start - timedelta(hours=1)).isoformat(),
        "--to-date", (start + timedelta(hours=1)).isoformat(), "--reprocess-behavior", "completed",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    deadline = time.monotonic() + 120
    while True:
        new = [run for run in demo.client.runs("datatake") if run["dag_run_id"] not in earlier]
        if new or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert [run["partition_key"] for run in new] == [demo.datatake]
    assert wait_for(demo, str(new[0]["dag_run_id"])) == "success"


def test_a_broken_session_is_refused_with_the_file_and_the_reason(demo: Demo, tmp_path: Path) -> None:
    (tmp_path / "ch_1").mkdir()
    run_id = demo.client.trigger("session_ingestion", {"session": str(tmp_path)})
    assert demo.client.wait("session_ingestion", run_id, LIMIT) == "failed"
    log = demo.client.log("session_ingestion", run_id, "register_session")
    assert "holds no DSIB" in log
