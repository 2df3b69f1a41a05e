"""`s2ps k8s`: what it prints, writes and refuses."""

from __future__ import annotations

import shlex
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from typer.testing import CliRunner, Result

from s2ps.cli.main import app
from s2ps.execution.result import ClusterResult, JobResult
from s2ps.staging import layout
from s2ps.staging.location import open_store

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
NODES = ["--node-type", "big=16,64,600,0.80", "--node-type", "huge=32,256,2000,2.20"]


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["k8s", *words])


def test_sizes_are_shown_and_written(tmp_path: Path) -> None:
    seconds = tmp_path / "seconds.yaml"
    seconds.write_text("DECOMP: 60\nGEN_ORTHO_TOA: 100\n", encoding="utf-8")
    words = ["--strategy", "nominal", "--per-hour", "2", "--seconds", str(seconds), "--write", str(tmp_path / "out")]
    done = call("size", *words, *NODES)
    assert done.exit_code == 0, done.output
    assert "97 pods and 1996 jobs per datatake" in done.output
    # DECOMP: 13 bands in 2 fragments of one detector, 8 at a time: 4 rounds of 60 s, and what comes after.
    assert any(
        line.split()[0] == "l1a_radiometry" and int(line.split()[5]) > 240 for line in done.output.splitlines() if line
    )
    assert "have no seconds and count as 1" in done.output
    quotas = list(yaml.safe_load_all((tmp_path / "out" / "quotas.yaml").read_text(encoding="utf-8")))
    for item in quotas:
        kubernetes_validate.validate(item, "1.37", strict=True)
    pools = list(yaml.safe_load_all((tmp_path / "out" / "nodes-karpenter.yaml").read_text(encoding="utf-8")))
    assert {item["kind"] for item in pools} == {"NodePool"}
    groups = yaml.safe_load((tmp_path / "out" / "nodes-autoscaler.yaml").read_text(encoding="utf-8"))
    assert {group["name"] for group in groups["autoscalingGroups"]} == {"s2ps-big", "s2ps-huge"}


def test_the_files_of_the_overlay_are_what_their_command_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    folder = Path("k8s/overlays/production")
    first = (folder / "quotas.yaml").read_text(encoding="utf-8").splitlines()[0]
    command = first.removeprefix("# Written by `s2ps ").removesuffix("`")
    words = shlex.split(command)[1:]
    words[words.index("--write") + 1] = str(tmp_path)
    assert call(*words).exit_code == 0
    for name in ("quotas.yaml", "nodes-karpenter.yaml", "nodes-autoscaler.yaml"):
        made, kept = ((place / name).read_text(encoding="utf-8").splitlines()[1:] for place in (tmp_path, folder))
        assert made == kept, f"{folder / name} is not what the strategy needs now: run `s2ps {command}`"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--concurrent", "1", "--node-type", "tiny=1,1,1,1"], "no given node type has that free"),
        ([*NODES], "one of the two"),
        (["--concurrent", "1", "--l1c-minutes", "1", *NODES], "on any number of nodes"),
        (["--concurrent", "1", "--system", "1", *NODES], "--system"),
    ],
)
def test_what_cannot_be_sized_is_refused(words: list[str], text: str) -> None:
    done = call("size", "--strategy", "nominal", *words)
    assert done.exit_code == 2
    assert text in done.output


def test_measured_seconds_are_what_size_takes(tmp_path: Path) -> None:
    store = open_store(tmp_path / "staging")
    for number, seconds in enumerate((2.0, 8.0, 3.0)):
        job = JobResult(id=f"L1A.DECOMP@band=B0{number}", state="done", seconds=seconds)
        reused = JobResult(id="L1A.GET_GRI@all", state="reused", seconds=0.0)
        result = ClusterResult(cluster_id=f"c{number}", state="success", jobs=(job, reused))
        store.write(layout.result("GS2B_X", f"c{number}"), result.model_dump_json().encode())
    done = call("seconds", "--home", str(tmp_path), "--factor", "10")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("# Measured: the median seconds of each task, of 3 finished jobs, times 10.\n")
    assert yaml.safe_load(done.output) == {"DECOMP@L1A": 30.0}
    assert call("seconds", "--home", str(tmp_path / "empty")).exit_code == 2
