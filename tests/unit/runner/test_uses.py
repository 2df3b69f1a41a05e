"""Data go from this machine with the last job that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.runner.uses import Uses
from s2ps.execution.request import InputRequest

pytestmark = pytest.mark.unit


def test_a_folder_is_needed_by_its_maker_and_its_readers(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    elsewhere = (InputRequest(type="TEXTS", jobs=("x",), run="session", store="s3://bulk"),)
    jobs = (bench.job("a"), bench.job("b", "a"), bench.job("c", "a"), bench.job("d", inputs=elsewhere))
    uses = Uses(bench.request(*jobs))
    a, b, c = ((None, f"runs/dt/jobs/{name}") for name in "abc")
    assert uses.ended(jobs[0]) == ()
    assert uses.ended(jobs[2]) == (c,)
    assert set(uses.ended(jobs[1])) == {a, b}
    assert set(uses.ended(jobs[3])) == {(None, "runs/dt/jobs/d"), ("s3://bulk", "runs/session/jobs/x")}
