"""Bad input: one clear error that names file and reason, nothing half published, and the run goes on once mended."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from integration.missions import Mission, Record
from integration.story import CUT, Story
from lxml import etree

from s2ps.formats.dsib import read_dsib
from s2ps.formats.manifest import differences
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName
from s2ps.production.sessions import read_session
from s2ps.settings import reference_executables

pytestmark = pytest.mark.integration

UNTOLD = "what no document may tell"
BOMB = "<!DOCTYPE b [<!ENTITY a0 'boom'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
)
"""An entity of 5 * 10^11 characters."""


DOWNLINK = {"HKTM", "SAD"}
"""What a session brings beside images; published whatever becomes of these."""
MISSING = ("AuxiliaryMissing", "InputError")
"""Waited for at first; given up when their latest useful time has passed, which a slow machine may see."""

# --- the session, auxiliary files and meteorology: one story, told once -------------------------------------------


def test_missing_channel(story: Story) -> None:
    told = story.told("missing channel")
    assert told.record.error_type == "InputError"
    assert "channel 2 is missing" in told.record.error
    assert story.mission.session.name in told.record.error
    assert told.record.next_step
    assert told.listing == []


def test_truncated_file(story: Story) -> None:
    told = story.told("truncated")
    last = sorted(story.mission.session.glob("ch_2/*.raw"))[-1]
    size = read_dsib(next(story.mission.session.glob("ch_2/*_DSIB.xml"))).data_size
    assert told.record.error_type == "InputError"
    assert "is truncated" in told.record.error
    assert last.name in told.record.error
    assert str(size) in told.record.error
    assert str(size - CUT) in told.record.error
    assert told.record.next_step
    assert told.listing == []


def test_wrong_dsib(story: Story) -> None:
    told = story.told("wrong DSIB")
    assert told.record.error_type == "InputError"
    assert "_ch1_DSIB.xml" in told.record.error
    assert "S2B_20260101000000000001" in told.record.error
    assert story.mission.session.name in told.record.error
    assert told.listing == []


def test_truncated_file_whose_dsib_agrees(story: Story) -> None:
    """Only the frames show it: the processor that reads them refuses, and L0u leaves nothing behind."""
    told = story.told("truncated as announced")
    last = sorted(story.mission.session.glob("ch_2/*.raw"))[-1]
    assert told.record.error_type == "ProcessorFailure"
    assert "EISP_ING_TYP" in told.record.error
    assert "exit code 133" in told.record.error
    assert f"{last.name} is cut" in told.record.error
    assert told.record.next_step
    assert told.listing == []
    assert told.partial == []
    assert told.record.done == []


def test_missing_gipp_of_one_band(story: Story) -> None:
    told = story.told("missing GIPP")
    assert told.record.error_type in MISSING
    assert re.search(r"GIP_VIEDIR band B05\b", told.record.error), told.record.error
    assert "B04" not in told.record.error
    assert str(story.mission.home / "auxiliary") in told.record.error
    assert told.record.next_step
    assert {entry.split("/")[0] for entry in told.listing} == DOWNLINK


def test_missing_meteorology(story: Story) -> None:
    """Levels that do not need it are whole; no tile is begun."""
    told = story.told("missing meteorology")
    assert told.record.error_type in MISSING
    assert "ECMWF" in told.record.error
    assert str(story.mission.home / "auxiliary") in told.record.error
    assert {entry.split("/")[0] for entry in told.listing} == {"L0", "L1A", "L1B", *DOWNLINK}
    assert len(told.listing) == 3 * 49 + len(DOWNLINK)


def test_mended_input_goes_on_where_it_stopped(story: Story) -> None:
    """Each chapter runs only what the one before could not: L0u once, then L0 to L1B once."""
    assert len(story.told("missing GIPP").record.done) == 1
    after_gipp = story.told("missing meteorology").record
    assert [name.split("/")[1] for name in after_gipp.reused] == ["L0U.EISP_ING_TYP@all"]
    levels = {name.split("/")[1].split(".")[0][:2] for name in after_gipp.done}
    assert levels == {"L0", "OL", "L1"}
    next_run = story.told("fail").record
    assert set(after_gipp.done) | set(after_gipp.reused) <= set(next_run.reused)


def test_nothing_was_ever_half_published(story: Story) -> None:
    """Every chapter: no hidden folder, and whatever is published at the end is whole."""
    chapters = [name for name, entry in story.document().items() if "listing" in entry]
    assert len(chapters) == 10
    for chapter in chapters:
        told = story.told(chapter)
        assert [name for name in told.listing if not name.split("/")[1].startswith("S2B_")] == [], chapter
        assert told.partial == [], chapter
    folder = story.mission.products_folder
    for manifest in folder.rglob("manifest.safe"):
        assert list(differences(manifest.parent)) == []


# --- sessions that end at L0 -----------------------------------------------------------------------------------------


def test_too_few_granules_give_l0_only(three_scenes: tuple[Mission, Record]) -> None:
    """Three scenes are 36 granules, fewer than 48."""
    mission, record = three_scenes
    assert record.error == ""
    assert {entry.split("/")[0] for entry in mission.listing()} == {"L0", *DOWNLINK}
    kinds = [PdiName.parse(path.name).file_type for path in mission.items("L0")]
    assert (kinds.count("MSI_L0__GR"), kinds.count("MSI_L0__DS")) == (2 * 36, 2)
    ancillary = [mission.production.inventory.product(path.name).datatake for path in mission.items("SAD")]
    assert ancillary == record.datatakes
    assert len(mission.items("HKTM")) == 1, "telemetry is of the session, not of its datatakes"
    assert {job.split("/")[1].split(".")[0] for job in record.done} == {"L0U", "L0", "OLQC_L0DS", "OLQC_L0GR"}


def test_unknown_datatake_type_gives_l0_only(unknown_type: tuple[Mission, Record]) -> None:
    mission, record = unknown_type
    assert record.error == ""
    (datatake,) = record.datatakes
    assert mission.production.inventory.datatake(datatake).type == "INS-XXXX"
    assert mission.production.inventory.datatake(datatake).granules == 48
    assert {entry.split("/")[0] for entry in mission.listing()} == {"L0", *DOWNLINK}
    assert len(mission.items("L0")) == 49
    datastrip = next(path for path in mission.items("L0") if "_L0__DS_" in path.name)
    assert read_pdi_metadata(metadata_file(datastrip)).text("DATATAKE_TYPE") == "INS-XXXX"


# --- documents that cannot be read, or should not be ------------------------------------------------------------------


def _call(processor: str, order: Path) -> tuple[int, list[str], float]:
    """Run a processor as the engine does; return its exit code, the error lines of its log, and the seconds."""
    began = time.monotonic()
    ended = subprocess.run(
        [str(reference_executables() / f"{processor}.bash"), str(order)],
        capture_output=True, text=True, timeout=120, check=False, cwd=order.parent,
        env={**os.environ, "S2PS_PYTHON": sys.executable},
    )  # fmt: skip
    assert UNTOLD not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if " [E] " in line]
    return ended.returncode, lines, time.monotonic() - began


@pytest.fixture
def order(story: Story, tmp_path: Path) -> Path:
    """The job order of INIT_LOC_L0 of the story, with its outputs in a new folder."""
    job = story.mission.home / "staging" / "runs" / story.mission.datatake / "jobs" / "L0.INIT_LOC_L0@all"
    text = re.sub(r"[^<>\s]*/L0\.INIT_LOC_L0@all[^/<>]*", str(tmp_path), (job / "JobOrder.xml").read_text())
    (tmp_path / "WORKING").mkdir()
    path = tmp_path / "JobOrder.xml"
    path.write_text(text)
    return path


def test_a_good_job_order_runs(order: Path) -> None:
    """The tests below fail for their reason only."""
    assert _call("INIT_LOC_L0", order)[:2] == (0, [])


def test_job_order_that_does_not_exist(tmp_path: Path) -> None:
    code, lines, _ = _call("INIT_LOC_L0", tmp_path / "NoJobOrder.xml")
    assert code == 130
    assert len(lines) == 1
    assert "NoJobOrder.xml does not exist" in lines[0]


@pytest.mark.parametrize("content", ["", "no XML at all", "<Ipf_Job_Order><Ipf_Conf>", "<Other/>", "\x00\x01"])
def test_job_order_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    path = tmp_path / "JobOrder.xml"
    path.write_text(content)
    code, lines, _ = _call("INIT_LOC_L0", path)
    assert code == 150
    assert len(lines) == 1
    assert str(path) in lines[0]


def test_job_order_of_another_processor_is_told(order: Path) -> None:
    code, lines, _ = _call("DECOMP", order)
    assert code >= 128
    assert len(lines) == 1


def _with_entity(text: str, secret: Path, kind: str) -> str:
    """Put an entity into the first longer text of a document: one that explodes, or one that reads a file."""
    body = re.sub(r"<\?xml[^>]*\?>\s*", "", text)
    head = BOMB if kind == "bomb" else f'<!DOCTYPE b [<!ENTITY a11 SYSTEM "file://{secret}">]>'
    changed, count = re.subn(r">([^<>\s][^<>]{2,})<", ">&a11;<", body, count=1)
    assert count == 1
    return head + changed


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(UNTOLD)
    return path


@pytest.mark.parametrize("kind", ["bomb", "file"])
def test_dsib_with_entities(story: Story, tmp_path: Path, secret: Path, kind: str) -> None:
    folder = tmp_path / story.mission.session.name
    shutil.copytree(story.mission.session, folder, copy_function=os.link)
    dsib = next(folder.glob("ch_1/*_DSIB.xml"))
    text = dsib.read_text()
    dsib.unlink()
    dsib.write_text(_with_entity(text, secret, kind))
    began = time.monotonic()
    with pytest.raises(InputError, match=re.escape(dsib.name)) as error:
        read_session(folder)
    assert UNTOLD not in str(error.value)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["bomb", "file"])
def test_job_order_with_entities(order: Path, secret: Path, kind: str) -> None:
    order.write_text(_with_entity(order.read_text(), secret, kind))
    code, lines, seconds = _call("INIT_LOC_L0", order)
    assert code == 150
    assert len(lines) == 1
    assert str(order) in lines[0]
    assert seconds < 60


@pytest.mark.parametrize("kind", ["bomb", "file"])
def test_gipp_with_entities(order: Path, secret: Path, kind: str) -> None:
    gipp = _replaced_gipp(order, "GIP_VIEDIR")
    gipp.write_text(_with_entity(gipp.read_text(), secret, kind))
    code, lines, seconds = _call("INIT_LOC_L0", order)
    assert code == 150
    assert len(lines) == 1
    assert gipp.name in lines[0]
    assert seconds < 60


def test_gipp_that_is_cut(order: Path) -> None:
    gipp = _replaced_gipp(order, "GIP_VIEDIR")
    gipp.write_bytes(gipp.read_bytes()[:-200])
    code, lines, _ = _call("INIT_LOC_L0", order)
    assert code == 150
    assert len(lines) == 1
    assert gipp.name in lines[0]


def _replaced_gipp(order: Path, kind: str) -> Path:
    """Give the job order a copy of its first GIPP of a type, which a test may spoil."""
    root = etree.parse(str(order))
    element = next(item for item in root.iter() if item.text and f"_{kind}_" in item.text)
    source = Path(str(element.text).strip())
    copy = order.parent / source.name
    shutil.copyfile(source, copy)
    element.text = str(copy)
    order.write_bytes(etree.tostring(root))
    return copy
