"""Wrong definition files: the message names file, entry and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2ps.model.errors import CatalogueError
from s2ps.processors.catalogue import StepKey
from s2ps.processors.loader import load_baseline

MAKER = """
name: MAKER
version: "1"
exit_policy: strict
function: Makes.
timeout: 60
steps:
  - phase: L0
    inputs:
      - {type: STO_CADU_S, external: session}
    outputs:
      - {type: PDI_DS}
"""
USER = """
name: USER
version: "1"
exit_policy: idp_sc
function: Uses.
timeout: 60
steps:
  - phase: L1A
    inputs:
      - {type: PDI_DS, from: [MAKER@L0]}
    auxiliary: [GIP_VIEDIR, IERS]
    static: [DEM_SRTM]
    outputs:
      - {type: FRAME_FILE, kind: Physical}
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def test_reads_defaults(tmp_path: Path) -> None:
    catalogue = load_baseline(extra=write(tmp_path, MAKER=MAKER, USER=USER))
    step = catalogue.step(StepKey("L1A", "USER"))
    assert catalogue.baseline == "05.00"
    assert step.key.task == "USER"
    assert step.processor.command == "USER/1/scripts/USER.bash"
    assert step.spec.table_name == "L1A"
    assert step.spec.outputs[0].mandatory
    assert step.spec.inputs[0].kind == "Directory"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            USER.replace("kind: Physical", "sort: Physical"),
            r"USER.yaml: steps\[L1A\].outputs\[FRAME_FILE\].sort: unknown key",
        ),
        (USER.replace("timeout: 60", "timeout: soon"), r"USER.yaml: timeout: .*integer"),
        (USER.replace("phase: L1A", "phase: L9"), r"USER.yaml: steps\[L9\].*phase 'L9': expected one of L0U"),
        (
            USER.replace("MAKER@L0", "MAKR@L0"),
            r"USER.yaml: steps\[USER\].inputs\[PDI_DS\].from: unknown producer MAKR@L0",
        ),
        (USER.replace("MAKER@L0", "MAKER"), r"unknown producer MAKER@L1A"),
        (USER.replace("MAKER@L0", "MAKER@L0:PDI_SAD"), r"MAKER@L0 does not make PDI_SAD.*expected: one of PDI_DS"),
        (USER.replace("[MAKER@L0]", "[maker]"), r"inputs\[PDI_DS\].from.*producer 'maker': expected TASK"),
        (USER.replace("from: [MAKER@L0]", "from: []"), r"input PDI_DS: expected either from"),
        (USER.replace("GIP_VIEDIR", "VIEDIR"), r"auxiliary: 'VIEDIR' is no known auxiliary type"),
        (USER.replace("DEM_SRTM", "DEM_SRT"), r"static: 'DEM_SRT' is no known static type"),
        (USER.replace("name: USER", "name: OTHER"), r"USER.yaml defines processor OTHER"),
        (USER.replace("phase: L1A", "phase: L1A\n    single: [band]"), r"single: band is not in split"),
        ("name: [", r"USER.yaml: not YAML"),
        ("", r"USER.yaml: file"),
    ],
)
def test_complaints_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CatalogueError, match=message):
        load_baseline(extra=write(tmp_path, MAKER=MAKER, USER=text))


def test_a_task_is_unique_in_its_phase(tmp_path: Path) -> None:
    second = USER.replace("name: USER", "name: SECOND").replace("phase: L1A", "phase: L1A\n    task: USER")
    with pytest.raises(CatalogueError, match="task USER is already in phase L1A"):
        load_baseline(extra=write(tmp_path, MAKER=MAKER, USER=USER, SECOND=second))


def test_unknown_baseline_lists_the_known() -> None:
    with pytest.raises(CatalogueError, match=r"'99.99'.*05\.00"):
        load_baseline("99.99")


def test_a_folder_of_more_definitions_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"absent does not exist.*S2PS_DEFINITIONS"):
        load_baseline(extra=tmp_path / "absent")
