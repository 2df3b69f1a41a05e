"""Strategy files that do not fit: the message names the entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from s2ps.model.errors import ConfigurationError
from s2ps.planning.nodes import plan_nodes
from s2ps.planning.strategy import BoundStrategy, Strategy, load_strategy
from s2ps.processors.catalogue import StepKey
from s2ps.processors.loader import load_baseline


@pytest.fixture
def content() -> dict[str, Any]:
    return load_strategy("single_machine").model_dump(mode="json")


def write(folder: Path, content: dict[str, Any]) -> str:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def cluster(content: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(item for item in content["clusters"] if item["name"] == name)
    return found


def test_a_file_can_be_used_in_place_of_a_name(tmp_path: Path, content: dict[str, Any]) -> None:
    assert load_strategy(write(tmp_path, content)) == load_strategy("single_machine")


def test_unknown_name_and_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no strategy 'fast'; expected: one of nominal, single_machine"):
        load_strategy("fast")
    with pytest.raises(ConfigurationError, match=r"strategy absent.yaml: cannot be read"):
        load_strategy(str(tmp_path / "absent.yaml"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slot": 1}, r"strategy mine.yaml: slot: unknown key"),
        ({"partitions": {"L0C": {"band": 2}}}, r"partitions: phase 'L0C': expected one of L0U"),
        ({"partitions": {"L0": {"bands": 2}}}, r"partitions.L0.bands"),
        ({"partitions": {"L0": {"band": 0}}}, r"partitions.L0.band: .*greater than 0"),
        ({"clusters": []}, r"clusters: "),
    ],
)
def test_wrong_files(tmp_path: Path, content: dict[str, Any], change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_strategy(write(tmp_path, {**content, **change}))


def bound(content: dict[str, Any]) -> BoundStrategy:
    return Strategy.model_validate(content).bind(load_baseline())


def test_every_task_is_in_exactly_one_cluster(content: dict[str, Any]) -> None:
    cluster(content, "l1a_start")["tasks"].append("GET_GRI")
    with pytest.raises(ConfigurationError, match="GET_GRI@L1A is in clusters l1a_start and l1a_reference"):
        bound(content)
    cluster(content, "l1a_start")["tasks"] = ["UNFORMAT_SAFE_DS", "UNFORMAT_SAFE_GR", "UPDATE_LOC"]
    content["clusters"] = [item for item in content["clusters"] if item["name"] != "l0u_ingestion"]
    with pytest.raises(ConfigurationError, match=r"no cluster has EISP_ING_TYP@L0U"):
        bound(content)


def test_a_task_no_cluster_names_joins_the_last_one_that_feeds_it(content: dict[str, Any]) -> None:
    cluster(content, "l1c_tile")["tasks"].remove("OLQC_TILE_L1C")
    cluster(content, "l1c_tile")["tasks"].remove("INV_MTD_L1@L1CTile")
    owners = bound(content).owners
    assert owners[StepKey("L1CTile", "OLQC_TILE_L1C")].name == "l1c_tile"
    assert owners[StepKey("L1CTile", "INV_MTD_L1")].name == "l1c_tile"


def test_unknown_and_ambiguous_tasks_are_named(content: dict[str, Any]) -> None:
    cluster(content, "l1a_reference")["tasks"] = ["GET_GRIS"]
    with pytest.raises(ConfigurationError, match="cluster l1a_reference: task 'GET_GRIS' stands for steps of none"):
        bound(content)
    cluster(content, "l1a_reference")["tasks"] = ["GET_GRI"]
    content["task_partitions"]["GET_TILE_LIST"] = {"band": 2}
    with pytest.raises(
        ConfigurationError, match="task_partitions: task 'GET_TILE_LIST' stands for steps of L1B, L1BNoGRI"
    ):
        bound(content)


def test_a_task_stays_in_its_phase_group(content: dict[str, Any]) -> None:
    cluster(content, "l1a_reference")["phase_group"] = "l1b"
    with pytest.raises(
        ConfigurationError, match="GET_GRI@L1A belongs to phase group datastrip; expected: tasks of l1b"
    ):
        bound(content)


def test_clusters_that_wait_for_each_other_are_refused(content: dict[str, Any]) -> None:
    cluster(content, "l1a_start")["tasks"].append("RADIO_FINALIZE")
    cluster(content, "l1a_radiometry")["tasks"].remove("RADIO_FINALIZE")
    with pytest.raises(ConfigurationError, match=r"clusters l1a_\w+ -> l1a_\w+ wait for each other"):
        plan_nodes(load_baseline(), Strategy.model_validate(content))


def test_a_cluster_twice_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["clusters"].append(content["clusters"][0])
    with pytest.raises(ConfigurationError, match="l0u_ingestion is declared 2 times"):
        load_strategy(write(tmp_path, content))
