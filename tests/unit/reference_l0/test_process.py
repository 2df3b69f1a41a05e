"""One process of a reference processor: context, exit codes, one clear line, injected faults."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ipf_adapters.reference.__main__ as process
from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import InvalidInput, MissingInput, NoData, TruncatedInput
from ipf_adapters.reference.registry import MODULES
from s2ps.formats.job_order import JobOrder, JobOrderInput, JobOrderOutput, write_job_order
from s2ps.model.bands import QL_BANDS, Band
from s2ps.model.errors import InputError

ROOT = Path(__file__).parents[3]


def context(parameters: dict[str, str] | None = None, **fields: object) -> JobContext:
    return JobContext.of(JobOrder("L1", "DECOMP", "1", parameters or {}, **fields))  # type: ignore[arg-type]


def test_absent_part_means_all() -> None:
    ctx = context()
    assert ctx.detectors == tuple(range(1, 13))
    assert len(ctx.bands) == 13
    assert ctx.ql_bands == QL_BANDS
    assert ctx.granules is None
    assert ctx.tile_indices == ()


def test_part_is_read_from_identifiers() -> None:
    ctx = context(
        {
            "PARALLEL_ATF_DETECTOR_IDENT": "03-11",
            "PARALLEL_BAND_IDENT": "B08-B12",
            "PARALLEL_ATF_BEGIN_GRANULE": "002",
            "PARALLEL_ATF_END_GRANULE": "004",
            "PARALLEL_TILE_IDENT": "001-017",
        }
    )
    assert ctx.detectors == (3, 11)
    assert ctx.bands == (Band.B8A, Band.B12)
    assert list(ctx.granules or ()) == [2, 3, 4]
    assert ctx.tile_indices == (1, 17)


@pytest.mark.parametrize("text", ["x", "00", "13", "01,02"])
def test_wrong_detector_part_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(repr(text))):
        _ = context({"PARALLEL_DETECTOR_IDENT": text}).detectors


def test_creation_accepts_both_forms() -> None:
    iso = context({"CREATION_DATE": "2026-07-01T10:20:00.500Z"}).creation
    short = context({"CREATION_DATE": "20260701T102000"}).creation
    assert (iso - short).total_seconds() == 0.5


def test_inputs_by_other_name_and_by_folder(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("b")
    (tmp_path / "a.txt").write_text("a")
    ctx = context(inputs=(JobOrderInput("AUX_UT1UTC", "Directory", (tmp_path,)),))
    assert [path.name for path in ctx.input_files("IERS")] == ["a.txt", "b.txt"]
    with pytest.raises(InvalidInput, match="got 2"):
        ctx.input_file("IERS")
    with pytest.raises(MissingInput, match="GIP_DATATI"):
        ctx.input_file("GIP_DATATI")


def test_missing_path_is_missing_input(tmp_path: Path) -> None:
    ctx = context(inputs=(JobOrderInput("PDI_DS", "Directory", (tmp_path / "gone",)),))
    assert not ctx.has_input("PDI_DS")
    with pytest.raises(MissingInput, match="gone does not exist"):
        ctx.input_dir("PDI_DS")


def job_order(tmp_path: Path, task: str = "DECOMP") -> Path:
    out = (
        JobOrderOutput("A", "Directory", tmp_path / "A"),
        JobOrderOutput("B", "Physical", tmp_path / "B" / "b.xml"),
    )
    path = tmp_path / "JobOrder.xml"
    path.write_bytes(write_job_order(JobOrder("L1", task, "1", outputs=out)))
    return path


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (None, 0),
        (NoData("nothing to do"), 1),
        (MissingInput("m"), 130),
        (TruncatedInput("t"), 133),
        (InvalidInput("i"), 150),
        (InputError("file f: bad"), 150),
        (RuntimeError("bug"), 255),
    ],
)
def test_exit_code_follows_the_failure(
    tmp_path: Path, failure: Exception | None, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(ctx: JobContext) -> None:
        if failure is not None:
            raise failure

    monkeypatch.setattr(process, "load", lambda name: run)
    assert process.main(["DECOMP", str(job_order(tmp_path))]) == code


@pytest.mark.parametrize(
    ("fault", "code", "left"),
    [
        ("omit:A", 0, {"B"}),
        ("omit:B", 0, {"A", "B"}),
        ("fail:137", 137, set()),
        ("fail:x", 150, set()),
        ("no", 150, set()),
    ],
)
def test_fault(tmp_path: Path, fault: str, code: int, left: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def run(ctx: JobContext) -> None:
        ctx.output_dir("A")
        ctx.output_file("B").write_text("b")

    monkeypatch.setattr(process, "load", lambda name: run)
    monkeypatch.setenv("S2PS_FAULT", fault)
    assert process.main(["DECOMP", str(job_order(tmp_path))]) == code
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == left
    assert not (tmp_path / "B" / "b.xml").exists() or fault != "omit:B"


def test_script_of_every_processor_starts_it(tmp_path: Path) -> None:
    scripts = ROOT / "ipf_adapters" / "reference" / "bin"
    assert {path.stem for path in scripts.glob("*.bash")} - {"_processor"} == set(MODULES)
    done = subprocess.run(
        [str(scripts / "GSE.bash"), str(tmp_path / "absent.xml")],
        env={**os.environ, "S2PS_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 130
    assert re.fullmatch(r"\S+Z \[E\] GSE: job order \S+absent.xml does not exist: .*\n", done.stderr)
