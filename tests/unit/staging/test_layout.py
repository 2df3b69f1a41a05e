"""Paths of the staging."""

from __future__ import annotations

import pytest

from s2ps.model.errors import InputError
from s2ps.staging import layout
from s2ps.staging.keys import checked


def test_paths_of_a_job() -> None:
    datatake, job = "GS2B_20260701T101559_043890_N05.00", "DECOMP.band=B03;detector=01-02"
    folder = "runs/GS2B_20260701T101559_043890_N05.00/jobs/DECOMP.band=B03;detector=01-02"
    assert layout.job(datatake, job) == folder
    assert layout.physical_output(datatake, job, "TILE_LIST_FILE") == f"{folder}/TILE_LIST_FILE/tile_list_file.xml"
    assert layout.plan("run", "tiles") == "runs/run/plans/tiles.json"
    assert layout.request("run", "c1") == "runs/run/requests/c1.json"
    assert layout.result("run", "c1") == "runs/run/results/c1.json"


def test_very_long_job_ids_stay_apart_and_fit_a_file_name() -> None:
    ids = [f"L0U.EISP@granule={'-'.join(f'{number:03d}' for number in range(1, last))}" for last in (90, 91)]
    names = {layout.job_name(job_id) for job_id in ids}
    assert len(names) == 2
    assert {len(name) for name in names} == {197}
    assert layout.log("dt", ids[0]).endswith(f"{layout.job_name(ids[0])}.log")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", ".hidden", "a b", "a\n", "../" * 80, "A.partial-1"])
def test_names_that_are_no_folder_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a folder"):
        layout.job("datatake", name)


@pytest.mark.parametrize(
    "key", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/", "a\\b", "a\0b", "a\nb", "a.partial-1/b"]
)
def test_hostile_keys_are_refused(key: str) -> None:
    with pytest.raises(InputError, match="not a key"):
        checked(key)
