"""What the commands print, and how they refuse what makes no sense."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from s2ps.cli.main import app
from s2ps.model.errors import NotReady, S2psError

pytestmark = pytest.mark.unit

DATATAKE = "GS2B_20260701T101559_048123_N05.00"


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "STRATEGY", "BASELINE", "DEFINITIONS", "EXECUTABLES", "STRATEGIES"):
        monkeypatch.delenv(f"S2PS_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def s2ps(*words: object) -> Result:
    """Run the command line; an unexpected exception fails the test."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def refused(result: Result, *parts: str) -> None:
    """Check that a command ended with exit code 2 and said all of this."""
    assert result.exit_code == 2, result.output
    for part in ("error:", *parts):
        assert part in result.stderr


def own_entry(folder: Path, text: str, name: str = "MINE") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.yaml").write_text(text)
    return folder


ENTRY = """name: MINE
version: "1"
exit_policy: strict
function: Ours.
timeout: 10
steps:
  - phase: L1CTile
    table: null
    split: [tile]
    inputs: [{type: X, from: [FORMAT_METADATA_TILE_L1C:PDI_DS_TILE_LIST]}]
    outputs: [{type: Y}]
"""


def test_the_packaged_catalogue_is_whole() -> None:
    result = s2ps("processors", "check")
    assert result.exit_code == 0
    assert "49 processors" in result.stdout
    assert "147 known producer-consumer pairs" in result.stdout


def test_processors_are_listed_with_who_runs() -> None:
    lines = s2ps("processors", "list").stdout.splitlines()
    row = next(line for line in lines if line.startswith("DECOMP "))
    assert row.split() == ["DECOMP", "06.01.00", "L1A", "detector,", "band,", "atf", "idp_sc", "reference"]


def test_a_processor_is_explained() -> None:
    text = s2ps("processors", "show", "DECOMP").stdout
    assert "reads  PDI_DS from UPDATE_LOC@L1A" in text
    assert "writes PDI_ATF_LIST" in text
    assert text.count("DECOMP.bash") == 1


def test_a_name_with_a_slip_leads_to_the_right_one() -> None:
    refused(s2ps("processors", "show", "ortho"), "no processor ortho", "GEN_ORTHO_TOA", "s2ps processors list")


def test_an_executable_of_ours_runs_instead_of_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "bin" / "DECOMP.bash"
    mine.parent.mkdir()
    mine.write_text("#!/bin/sh\n")
    monkeypatch.setenv("S2PS_EXECUTABLES", str(mine.parent))
    findings = s2ps("processors", "check")
    assert findings.exit_code == 1
    assert f"{mine} may not be executed" in findings.stderr
    mine.chmod(0o755)
    assert s2ps("processors", "check").exit_code == 0
    assert f"runs {mine}" in s2ps("processors", "show", "DECOMP").stdout
    owners = [line.split()[-1] for line in s2ps("processors", "list").stdout.splitlines() if " idp_sc " in line]
    assert owners.count("own") == 1
    assert owners.count("reference") > 20


def test_a_processor_without_executable_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_DEFINITIONS", str(own_entry(tmp_path / "own", ENTRY)))
    result = s2ps("processors", "check")
    assert result.exit_code == 1
    assert "MINE/1/scripts/MINE.bash" not in result.stdout
    assert "processor MINE has no executable" in result.stderr
    assert "cannot run: processor MINE has no executable" in s2ps("processors", "show", "MINE").stdout


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (ENTRY.replace("strict", "lenient"), "MINE.yaml: exit_policy"),
        (ENTRY.replace("split:", "spilt:"), "unknown key"),
        (ENTRY.replace("phase: L1CTile", "phase: L9"), "expected one of L0U"),
        (ENTRY.replace("[{type: Y}]", "[{type: Y}"), "MINE.yaml: not YAML"),
        ("- just a list\n", "MINE.yaml"),
        (ENTRY.replace("name: MINE", "name: YOURS"), "a file named YOURS.yaml"),
    ],
)
def test_a_broken_entry_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, said: str) -> None:
    monkeypatch.setenv("S2PS_DEFINITIONS", str(own_entry(tmp_path / "own", entry)))
    refused(s2ps("processors", "check"), said)


@pytest.mark.parametrize("setting", ["DEFINITIONS", "EXECUTABLES"])
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setenv(f"S2PS_{setting}", str(tmp_path / "nowhere"))
    result = s2ps("processors", "check")
    assert result.exit_code in (1, 2)
    assert f"{tmp_path / 'nowhere'} does not exist" in result.stderr


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_SLOTS", "many")
    refused(s2ps("processors", "check"), "S2PS_SLOTS='many'", "valid integer", "environment variable")


def test_an_unknown_baseline_is_named() -> None:
    refused(s2ps("processors", "list", "--baseline", "09.99"), "09.99", "05.00")


def test_task_tables_are_compared(tmp_path: Path) -> None:
    table = tmp_path / "TaskTable_OLQC_L1CTL.xml"
    table.write_text(
        "<Ipf_Task_Table><Processor_Name>x</Processor_Name><Version>1</Version>"
        "<List_of_Pools count='1'><Pool><List_of_Tasks count='0'/></Pool></List_of_Pools></Ipf_Task_Table>"
    )
    result = s2ps("processors", "compare", table)
    assert result.exit_code == 1
    assert "OLQC_L1CTL: OLQC_TILE_L1C: task OLQC_TILE_L1C: table None, catalogue present" in result.stdout
    assert "1 differences" in result.stderr
    table.write_text("<Ipf_Task_Table>")
    refused(s2ps("processors", "compare", table), "TaskTable_OLQC_L1CTL.xml: no readable XML")


def test_graphs_are_drawn(tmp_path: Path) -> None:
    assert s2ps("graph", "draw", "--phase", "L1A").stdout.startswith("flowchart LR")
    assert '"DECOMP@L1A" -> "RADIO_AB@L1A"' in s2ps("graph", "draw", "--format", "dot").stdout
    assert "l1c_tile" in s2ps("graph", "draw", "--strategy", "single_machine").stdout
    target = tmp_path / "graph.mmd"
    assert s2ps("graph", "draw", "--output", target).stdout == ""
    assert target.read_text().startswith("flowchart LR")


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    refused(s2ps("graph", "draw", "--phase", "L7"), "no phase L7", "L1CTile")
    refused(s2ps("graph", "draw", "--strategy", "single_machine", "--format", "dot"), "mermaid only")
    refused(s2ps("graph", "draw", "--output", tmp_path / "no" / "x.mmd"), "No such file or directory", "x.mmd")


def test_plan_shows_jobs_clusters_and_order() -> None:
    result = s2ps("plan", "--strategy", "nominal")
    assert result.exit_code == 0
    assert re.search(r"total +1996\b", result.stdout), "1845 of the chain to L1C, 151 of L0u, L2A and inventory"
    small = s2ps("plan", "--scenes", 4, "--tiles", 2, "--jobs").stdout
    assert "critical path" in small
    assert "L1CTile.TILE_INIT@tile=32TAA" in small
    assert not Path("var").exists(), "planning writes nothing"


def test_an_unknown_strategy_is_named(tmp_path: Path) -> None:
    refused(s2ps("plan", "--strategy", "fastest"), "no strategy 'fastest'", "nominal, single_machine")
    refused(s2ps("run", "--home", tmp_path, "--strategy", "fastest"), "no strategy 'fastest'")


@pytest.mark.parametrize(
    ("strategy", "said"),
    [("name: mine\n", "clusters: Field required"), ("name: [\n", "cannot be read"), ("speed: high\n", "unknown key")],
)
def test_a_broken_strategy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(strategy)
    monkeypatch.setenv("S2PS_STRATEGIES", str(tmp_path))
    refused(s2ps("plan", "--strategy", "mine"), "strategy mine.yaml", said)


def test_a_plan_that_is_not_there_is_told(tmp_path: Path) -> None:
    refused(s2ps("plan", "mine"), "datatake identifier 'mine' cannot be read", "GS2B_")
    refused(s2ps("plan", DATATAKE, "--home", tmp_path / "x"), "nothing was run in", "--home")
    (tmp_path / "staging").mkdir()
    refused(s2ps("plan", DATATAKE, "--home", tmp_path), f"{DATATAKE} has no plan in {tmp_path}", "run its session")


def test_run_without_a_session_says_what_to_do(tmp_path: Path) -> None:
    refused(s2ps("run", "--home", tmp_path), "holds 0 sessions", "s2ps simulate")
    for name in ("S2B_1", "S2B_2"):
        (tmp_path / "session" / name).mkdir(parents=True)
    refused(s2ps("run", "--home", tmp_path), "holds 2 sessions (S2B_1, S2B_2)", "--session")


def test_run_refuses_what_is_no_session_and_no_fault(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    refused(s2ps("run", "--home", tmp_path, "--session", folder), "empty does not exist", "ch_1")
    folder.mkdir()
    refused(s2ps("run", "--home", tmp_path, "--session", folder), "holds no DSIB", "DSIB.xml")
    refused(s2ps("run", "--home", tmp_path, "--session", folder, "--from-level", "L0U"), "L0U cannot be made anew")
    refused(s2ps("run", "--home", tmp_path, "--session", folder, "--fault", "DECOMP:explode"), "'DECOMP:explode'")


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "s").mkdir()
    refused(s2ps("run", "--home", tmp_path / "file", "--session", tmp_path / "s"), str(tmp_path / "file"))


def test_status_and_stop_where_no_airflow_is(tmp_path: Path) -> None:
    refused(s2ps("status", "--home", tmp_path), "no Airflow was started", "make demo")
    stopped = s2ps("stop", "--home", tmp_path)
    assert stopped.exit_code == 0
    assert not list(tmp_path.iterdir()), "looking writes nothing"


def test_errors_keep_brackets_and_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    from s2ps.cli.terminal import guarded

    def fail() -> None:
        raise NotReady("job steps[0] [bold]", expected="a [list]", next_step="wait")

    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit, match="2"):
        guarded(fail)
    assert capsys.readouterr().err == "error: job steps[0] [bold]\n  expected: a [list]\n  next: wait\n"
    with pytest.raises(SystemExit, match="130"):
        guarded(interrupt)
    assert "interrupted; run the same command again" in capsys.readouterr().err
    assert issubclass(NotReady, S2psError)
