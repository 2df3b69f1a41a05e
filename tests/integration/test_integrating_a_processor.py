"""The page on integrating a processor, followed literally: its code blocks are run as they stand in one shell."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "integrating-a-processor.md"
LIMIT_S = 900
FIRST_STEPS, RUN = slice(0, 4), slice(4, None)
"""Blocks of the page: folders, entry, executable and a look; then the run."""

DAG = """
import json
from s2ps_airflow.installed import datatake_dags
dag = next(dag for dag in datatake_dags() if dag.dag_id == "datatake")
print(json.dumps({name: task.doc_md for name, task in dag.task_dict.items()}))
"""


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads the page in a folder that stands for the checkout."""

    folder: Path

    def blocks(self) -> list[str]:
        """Return the shell blocks of the page's first part."""
        first_part = PAGE.read_text(encoding="utf-8").split("\n## ")[1]
        return re.findall(r"^```bash\n(.*?)^```$", first_part, flags=re.MULTILINE | re.DOTALL)

    def type(self, *blocks: str) -> subprocess.CompletedProcess[str]:
        """Run blocks in a new shell, after the one that sets the folders."""
        return self.call(["bash", "-euo", "pipefail", "-c", "\n".join(blocks)])

    def call(self, command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the reader would, with the commands of this environment in reach."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("S2PS_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
        return subprocess.run(
            command, cwd=self.folder, env={**kept, "PATH": path, **more}, capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip

    @property
    def settings(self) -> dict[str, str]:
        """The two settings the page makes."""
        mine = self.folder / "mine"
        return {"S2PS_DEFINITIONS": str(mine / "definitions"), "S2PS_EXECUTABLES": str(mine / "executables")}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    found = Reader(tmp_path_factory.mktemp("checkout"))
    assert len(found.blocks()) == 5, "the page has five steps"
    return found


@pytest.fixture(scope="module")
def looked(reader: Reader) -> str:
    done = reader.type(*reader.blocks()[FIRST_STEPS])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_processor_is_in_catalogue_graph_and_plan(looked: str, reader: Reader) -> None:
    assert "50 processors" in looked
    assert str(reader.folder / "mine/executables/TILE_STATISTICS/01.00.00/scripts/TILE_STATISTICS.bash") in looked
    assert re.search(r"reads\s+MSI_L1C_TL from FORMAT_METADATA_TILE_L1C@L1CTile", looked)
    assert '"FORMAT_METADATA_TILE_L1C@L1CTile" -> "TILE_STATISTICS@L1CTile" [label="MSI_L1C_TL"]' in looked
    assert len(re.findall(r"L1CTile\.TILE_STATISTICS@tile=", looked)) >= 3


def test_the_processor_is_in_the_dag(looked: str, reader: Reader, tmp_path: Path) -> None:
    folders = os.pathsep.join(str(ROOT / name) for name in ("src", "plugins", ""))
    more = {**reader.settings, "PYTHONPATH": folders, "AIRFLOW_HOME": str(tmp_path)}
    made = reader.call([sys.executable, "-W", "ignore", "-c", DAG], **more)
    assert made.returncode == 0, made.stderr[-2000:]
    docs = json.loads(made.stdout.splitlines()[-1])
    assert "TILE_STATISTICS@L1CTile" in docs["tile.l1c_tile"]
    assert not any("TILE_STATISTICS" in (doc or "") for name, doc in docs.items() if name != "tile.l1c_tile")


def test_the_processor_runs(looked: str, reader: Reader) -> None:
    blocks = reader.blocks()
    done = reader.type(blocks[0], *blocks[RUN])
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    home = reader.folder / "mine" / "home"
    tiles = sorted(path.name.split("_")[5] for path in (home / "products" / "L1C").glob("*.SAFE"))
    written = sorted(home.glob("staging/runs/GS2B_*/jobs/L1CTile.TILE_STATISTICS@*/STATISTICS/*.json"))
    assert tiles
    assert sorted(path.name.split("_")[8] for path in written) == tiles
    assert [str(path.relative_to(reader.folder)) for path in written] == done.stdout.split()[-len(written) :]
    bands = [json.loads(path.read_text()) for path in written]
    assert all(len(statistics) == 13 for statistics in bands)
    seen = [entry for statistics in bands for entry in statistics.values() if entry["pixels"]]
    assert seen
    assert all(0 < entry["min"] <= entry["mean"] <= entry["max"] <= 65535 for entry in seen)
    assert any(entry["min"] < entry["max"] for entry in seen)


def test_a_wrong_entry_is_named(looked: str, reader: Reader, tmp_path: Path) -> None:
    entry = (reader.folder / "mine/definitions/TILE_STATISTICS.yaml").read_text()
    (tmp_path / "TILE_STATISTICS.yaml").write_text(entry.replace("PDI_DS_TILE_LIST", "PDI_DS_TILES"))
    ended = reader.call(["s2ps", "processors", "check"], S2PS_DEFINITIONS=str(tmp_path))
    assert ended.returncode == 2
    assert "TILE_STATISTICS.yaml: steps[TILE_STATISTICS].inputs[MSI_L1C_TL].from" in ended.stderr
    assert "does not make PDI_DS_TILES" in ended.stderr
    assert "expected: one of PDI_DS_TILE_LIST" in ended.stderr


def test_a_missing_executable_is_a_finding(looked: str, reader: Reader, tmp_path: Path) -> None:
    more = {**reader.settings, "S2PS_EXECUTABLES": str(tmp_path)}
    ended = reader.call(["s2ps", "processors", "check"], **more)
    assert ended.returncode == 1
    assert f"processor TILE_STATISTICS has no executable in {tmp_path}" in ended.stderr
