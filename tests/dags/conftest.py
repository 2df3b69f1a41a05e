"""An Airflow home without database, and a strategy written by hand for tests that need no catalogue."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="s2ps-airflow-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(ROOT / "plugins")
os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = str(ROOT / "dags")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

from s2ps.model.mission import Level  # noqa: E402
from s2ps_airflow.nodes import Node, NodeGraph  # noqa: E402

L0U, L0, L1A, L1B, L1C, L2A = Level

NODES = (
    Node("CUT", L0U, "l0u", ("EISP", "META")),
    Node("INIT", L0, "datastrip", ("INIT_LOC_L0", "UPDATE_LOC"), upstream=("CUT",)),
    Node("L0_GR", L0, "datastrip", ("FORMAT_GR",), upstream=("INIT",)),
    Node("L0_DS", L0, "datastrip", ("FORMAT_DS",), upstream=("INIT",)),
    Node("L0_OLQC", L0, "datastrip", ("OLQC",), upstream=("L0_GR", "L0_DS")),
    Node("DECOMPRESS", L1A, "datastrip", ("DECOMP",), upstream=("INIT",)),
    Node("L1A_GR", L1A, "datastrip", ("FORMAT_L1A",), upstream=("DECOMPRESS",)),
    Node("L1A_DS", L1A, "datastrip", ("FORMAT_L1A_DS",), upstream=("DECOMPRESS",)),
    Node("GRI", L1B, "datastrip", ("GET_GRI",), upstream=("INIT",)),
    Node("RADIO", L1B, "l1b", ("RADIO_AB",), upstream=("DECOMPRESS",)),
    Node("RESAMPLE", L1B, "l1b", ("RESAMPLE",), upstream=("RADIO", "GRI")),
    Node("REFINE", L1B, "l1b", ("CORREL", "SPATIO"), upstream=("RESAMPLE",)),
    Node("L1B_GR", L1B, "l1b", ("FORMAT_L1B",), upstream=("RADIO", "REFINE")),
    Node("L1B_DS", L1B, "l1b", ("FORMAT_L1B_DS",), upstream=("REFINE",)),
    Node("TILES", L1B, "l1b", ("GET_TILE_LIST",), upstream=("REFINE",)),
    Node("L1C_DS", L1C, "tiles", ("FORMAT_DS_L1C",), upstream=("L1B_DS",)),
    Node("L1C_ORTHO", L1C, "tiles", ("GEN_ORTHO_TOA",), ("tile",), ("RADIO", "TILES")),
    Node("L1C_FORMAT", L1C, "tiles", ("FORMAT_IMG",), ("tile",), ("L1C_ORTHO", "L1C_DS")),
    Node("L2A_TILE", L2A, "tiles", ("L2A_TL",), ("tile",), ("L1C_FORMAT",)),
    Node("L2A_DS", L2A, "tiles", ("L2A_DS",), upstream=("L1C_DS",)),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let Airflow's own use of deprecated functions pass."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.fixture(scope="session")
def graph() -> NodeGraph:
    """Return the nodes as a checked graph."""
    return NodeGraph.of(NODES)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout."""
    return ROOT
