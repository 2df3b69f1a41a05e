"""The stable structure a DAG is generated from."""

from __future__ import annotations

import json

import pytest

from s2ps.model.mission import Level
from s2ps.planning.nodes import NodeRecord, plan_nodes
from s2ps.planning.strategy import load_strategy, strategy_names
from s2ps.processors.loader import load_baseline


def nodes(strategy: str) -> dict[str, NodeRecord]:
    return {node.name: node for node in plan_nodes(load_baseline(), load_strategy(strategy))}


def test_two_strategies_come_with_the_system() -> None:
    assert strategy_names() == ("nominal", "single_machine")


@pytest.mark.parametrize(("strategy", "count"), [("nominal", 22), ("single_machine", 22)])
def test_few_nodes_upstream_first(strategy: str, count: int) -> None:
    records = nodes(strategy)
    assert len(records) == count
    seen: set[str] = set()
    for node in records.values():
        assert set(node.upstream) <= seen, node.name
        seen.add(node.name)
    assert sum(len(node.tasks) for node in records.values()) == 71


@pytest.mark.parametrize("strategy", ["nominal", "single_machine"])
def test_both_strategies_have_one_shape(strategy: str) -> None:
    assert {name: list(node.upstream) for name, node in nodes(strategy).items()} == {
        "l0u_ingestion": [],
        "l0_location": ["l0u_ingestion"],
        "l0_packets": ["l0u_ingestion"],
        "l0_quicklook": ["l0_location"],
        "l0_products": ["l0_packets", "l0_quicklook"],
        "l0_control": ["l0_products"],
        "l1a_start": ["l0_control"],
        "l1a_radiometry": ["l1a_start"],
        "l1a_reference": ["l1a_radiometry"],
        "l1a_granules": ["l1a_radiometry"],
        "l1a_control": ["l1a_granules"],
        "l1b_common_geometry": ["l1a_reference"],
        "l1b_tie_points": ["l1b_common_geometry"],
        "l1b_refining": ["l1b_tie_points"],
        "l1b_geometry": ["l1b_refining"],
        "l1b_geometry_unrefined": ["l1a_reference"],
        "l1b_granules": ["l1b_geometry", "l1b_geometry_unrefined"],
        "l1b_control": ["l1b_granules"],
        "l1c_datastrip": ["l1b_geometry", "l1b_geometry_unrefined"],
        "l1c_tile": ["l1b_geometry", "l1b_geometry_unrefined"],
        "l2a_datastrip": ["l1c_datastrip"],
        "l2a_tile": ["l1c_tile", "l2a_datastrip"],
    }


def test_a_node_knows_when_it_has_work() -> None:
    records = nodes("single_machine")
    assert records["l1b_refining"].with_gri is True
    assert records["l1b_geometry_unrefined"].with_gri is False
    assert records["l1c_tile"].with_gri is None
    assert records["l1a_granules"].needed_by == (Level.L1A,)
    assert records["l2a_tile"].needed_by == (Level.L2A,)
    assert records["l1c_tile"].over == ("tile",)
    assert records["l1a_reference"].tasks == ("GET_GRI@L1A",)


def test_nodes_are_plain_data() -> None:
    record = nodes("single_machine")["l2a_datastrip"]
    assert json.loads(json.dumps(record.to_dict())) == {
        "name": "l2a_datastrip",
        "level": "L2A",
        "phase_group": "tiles",
        "tasks": ["SEN2COR_DS@L2ADS", "FORMAT_METADATA_DS_L2A@L2ADS", "OLQC_DS_L2A@L2ADS", "INV_MTD_L2@L2ADS"],
        "over": [],
        "resources": {"cpu": 1.0, "memory_gb": 4.0, "disk_gb": 10.0, "time_s": 3600},
        "slots": 1,
        "upstream": ["l1c_datastrip"],
        "needed_by": ["L2A"],
        "with_gri": None,
    }
