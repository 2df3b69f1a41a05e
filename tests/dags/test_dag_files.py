"""The DAG files of the installation, loaded in a process of their own as Airflow does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.dags

PROBE = """
import builtins, json, runpy, sqlite3, socket, subprocess, sys, io, os, pathlib
import airflow.sdk, s2ps_airflow.installed, yaml
from airflow.serialization.serialized_objects import DagSerialization
opened = []
def watch(event, args):
    if event in ("open", "socket.connect", "sqlite3.connect", "subprocess.Popen"):
        opened.append((event, str(args[0]), str(args[1]) if event == "open" else ""))
sys.addaudithook(watch)
found = {}
for file in sys.argv[1:]:
    for value in runpy.run_path(file).values():
        if isinstance(value, airflow.sdk.DAG):
            found[value.dag_id] = value
seen, opened = opened, []
print(json.dumps({
    "dags": {name: {"tasks": sorted(d.task_dict), "scheduled": d.timetable.can_be_scheduled and d.dag_id,
             "strategies": d.params.get_param("strategy").schema["enum"] if "strategy" in d.params else []}
             for name, d in found.items()},
    "round_trip": all(set(DagSerialization.from_dict(DagSerialization.to_dict(d)).task_dict) == set(d.task_dict)
                      for d in found.values()),
    "events": seen,
    "modules": sorted({name.split(".")[0] for name in sys.modules}),
}))
"""


@pytest.fixture(scope="module")
def loaded(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    files = [str(path) for path in sorted((root / "dags").glob("*.py"))]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("S2PS_")}
    environment["PYTHONPATH"] = os.pathsep.join(str(root / part) for part in ("src", "plugins", ""))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROBE, *files],
        env=environment,
        cwd=tmp_path_factory.mktemp("empty"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_the_packaged_strategies_make_dags(loaded: dict[str, Any]) -> None:
    assert set(loaded["dags"]) == {"datatake", "housekeeping", "session_ingestion"}
    assert loaded["dags"]["datatake"]["strategies"] == ["single_machine", "nominal"]
    for name, dag in loaded["dags"].items():
        if name.startswith("datatake"):
            assert 30 <= len(dag["tasks"]) <= 60, name
            assert {"tile.publish_l1c", "tile.publish_l2a", "plan_tiles", "summary"} <= set(dag["tasks"])


def test_housekeeping_is_scheduled(loaded: dict[str, Any]) -> None:
    assert loaded["dags"]["housekeeping"]["tasks"] == ["expire_products", "expire_sessions"]
    assert loaded["dags"]["housekeeping"]["scheduled"]


def test_they_survive_serialisation(loaded: dict[str, Any]) -> None:
    assert loaded["round_trip"]


def test_parsing_reads_nothing_but_code_and_the_packaged_catalogue(loaded: dict[str, Any]) -> None:
    events = loaded["events"]
    assert [event for event in events if event[0] != "open"] == []
    writing = [event for event in events if event[2] not in ("r", "rb", "None")]
    assert writing == []
    code = (".py", ".pyc", ".yaml", ".pem", ".so", ".zip")
    read = [path for _, path, _ in events if not path.endswith(code) and not path.startswith(("/proc", "/sys", "/etc"))]
    installed = ("site-packages", ".egg-info", ".dist-info")
    assert [path for path in read if Path(path).is_file() and not any(part in path for part in installed)] == []


def test_parsing_imports_no_client_of_a_service(loaded: dict[str, Any]) -> None:
    forbidden = {"kubernetes", "kubernetes_asyncio", "boto3", "botocore", "numpy", "rasterio", "ipf_adapters"}
    assert forbidden.isdisjoint(loaded["modules"])
