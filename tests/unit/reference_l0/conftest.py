"""A session of a tiny datatake, ingested once for all tests of Level 0, and a way to run processors in this process."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.reference_l0.downlinks import Run, mission, record

from ipf_adapters.reference import registry
from ipf_adapters.reference.context import JobContext
from ipf_adapters.simulation.downlink import write_session
from s2ps.formats.job_order import JobOrder, JobOrderInput, JobOrderOutput

CREATION = "2026-07-01T12:00:00Z"


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete session of one datatake."""
    settings = mission()
    return write_session(tmp_path_factory.mktemp("session"), settings, record(settings))


@pytest.fixture(scope="session")
def run_job() -> Run:
    """Run a processor in this process: `run_job(NAME, folder, inputs={}, outputs=(...), **parameters)` -> folder."""

    def run(name: str, folder: Path, inputs: dict[str, object], outputs: tuple[str, ...], **parameters: str) -> Path:
        listed = []
        for file_type, paths in inputs.items():
            many = tuple(paths) if isinstance(paths, (list, tuple)) else (paths,)
            kind = "Directory" if all(Path(str(path)).is_dir() for path in many) else "Physical"
            listed.append(JobOrderInput(file_type, kind, tuple(Path(str(path)) for path in many)))
        made = tuple(JobOrderOutput(file_type, "Directory", folder / file_type) for file_type in outputs)
        common = {"CREATION_DATE": CREATION, "PROCESSING_BASELINE": "05.00", "PROCESSING_CENTER": "S2PS"}
        order = JobOrder("L0", name, "1", {**common, **parameters}, tuple(listed), made)
        registry.load(name)(JobContext.of(order))
        return folder

    return run


@pytest.fixture(scope="session")
def ingested(session: Path, run_job: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job folder of EISP_ING_TYP on the session."""
    folder = tmp_path_factory.mktemp("eisp")
    return run_job("EISP_ING_TYP", folder, {"STO_CADU_S": session}, ("HKTM_FOLDER", "SAD_FOLDER", "DS_GR_FOLDER"))
