"""Executables that a request names by their command only."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.run import main
from ipf_adapters.runner.executables import PACKAGED, executable_of
from s2ps.execution.result import ClusterResult
from s2ps.model.errors import ConfigurationError
from s2ps.production.executables import requested_executable
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
COMMAND = "DECOMP/06.01.00/scripts/DECOMP.bash"


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path)


def decomp(bench: Workbench, executable: str = COMMAND) -> str:
    return executable_of(bench.job("a", executable=executable).model_copy(update={"processor": "DECOMP"}))


def test_the_reference_processor_is_taken_where_there_is_no_other(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S2PS_EXECUTABLES", raising=False)
    assert decomp(bench) == str(PACKAGED / "DECOMP.bash")


def test_the_folder_of_the_image_comes_first(bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_EXECUTABLES", str(tmp_path / "ipf"))
    own = tmp_path / "ipf" / COMMAND
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/bash\n")
    with pytest.raises(ConfigurationError, match="may not be executed"):
        decomp(bench)
    own.chmod(0o755)
    assert decomp(bench) == str(own)


@pytest.mark.parametrize("hostile", ["../../bin/sh", "DECOMP/../../x.bash"])
def test_a_command_stays_below_its_folder(bench: Workbench, hostile: str) -> None:
    with pytest.raises(ConfigurationError, match="is no command below a folder of executables"):
        decomp(bench, hostile)


def test_a_processor_that_is_nowhere_fails_its_job_and_names_the_folders(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("S2PS_EXECUTABLES", str(tmp_path))
    path = tmp_path / "request.json"
    path.write_text(bench.request(bench.job("a", executable="WRITE/01.00.00/scripts/WRITE.bash")).dump())
    assert main([str(path), "--quiet"]) == 1
    error = ClusterResult.load(bench.staging / "runs/run/results/c1.json").error or ""
    assert f"processor WRITE has no executable in {tmp_path} or {PACKAGED}" in error


def test_requests_of_pods_name_the_command_those_of_this_machine_the_path(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path)
    assert requested_executable(settings, "DECOMP", COMMAND) == str(settings.place("executables") / "DECOMP.bash")
    pods = settings.model_copy(update={"execution": "pod"})
    assert requested_executable(pods, "DECOMP", COMMAND) == COMMAND
