"""One small mission that meets every mishap in turn, is mended each time, and ends with all its products.

The story is run once; what happened is kept in `story.json` for the tests to judge.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from integration.missions import Mission, Record, job_outputs, simulate

from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.formats.dsib import read_dsib
from s2ps.model.mission import Level
from s2ps.production import RunKey
from s2ps.staging import layout

SMALL: dict[str, object] = {"scale": 40, "scenes": 4, "seed": 1, "type": "INS-RAW", "gri": False}
"""The cheapest mission that has every level."""
TILE = "32TNR"
CUT = 700
"""Bytes cut off a file: not a whole frame."""
GIPP = "*_GIP_VIEDIR_*_B05.xml"
METEOROLOGY = "*_AUX_ECMWFD_*"
FAIL = f"GEN_ORTHO_TOA:tile={TILE}:fail:133"
OMIT = f"TILE_INIT:tile={TILE}:omit:PDI_DS_TILE_LIST"
SLOW = f"TILE_INIT:tile={TILE}:slow:300"
SLOW_LIMIT_S = 4.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one chapter of the story left behind."""

    record: Record
    listing: list[str]
    """Everything in the publication folder afterwards."""
    partial: list[str]
    """Unfinished job folders in the staging afterwards."""


@dataclass(frozen=True, slots=True)
class Story:
    """A mission and the chapters of its story."""

    mission: Mission

    def document(self) -> dict[str, Any]:
        """Return everything that was noted."""
        return dict(json.loads((self.mission.home / "story.json").read_text()))

    def told(self, chapter: str) -> Told:
        """Return what a chapter left behind."""
        entry = self.document()[chapter]
        return Told(Record(**entry["record"]), entry["listing"], entry["partial"])

    def cluster(self, chapter: str) -> ClusterResult:
        """Return the result of a cluster that a chapter ran alone."""
        return ClusterResult.model_validate(self.document()[chapter])

    def outputs(self, chapter: str) -> dict[str, str]:
        """Return the checksums of all job outputs that a chapter noted."""
        return dict(self.document()[chapter])


def tell(home: Path) -> None:
    """Simulate the mission and run the story."""
    mission = simulate(home, **SMALL)
    notes: dict[str, Any] = {}

    def chapter(name: str, **options: Any) -> None:
        record = mission.run(**options)
        partial = [path.name for path in (home / "staging").rglob("*.partial-*")]
        notes[name] = {"record": asdict(record), "listing": mission.listing(), "partial": partial}

    for name, mishap in (
        ("missing channel", away(mission, mission.session / "ch_2")),
        ("truncated", truncated(mission)),
        ("wrong DSIB", wrong_dsib(mission)),
        ("truncated as announced", truncated(mission, announced=True)),
        ("missing GIPP", away(mission, _one(home / "auxiliary", GIPP))),
        ("missing meteorology", away(mission, _one(home / "auxiliary", METEOROLOGY))),
    ):
        with mishap:
            chapter(name)
    notes["omit"] = run_alone(mission, OMIT).model_dump(mode="json")
    notes["slow"] = run_alone(mission, SLOW, limit_s=SLOW_LIMIT_S).model_dump(mode="json")
    chapter("fail", faults=(FAIL,))
    chapter("mended")
    notes["outputs"] = job_outputs(mission, mission.datatake)
    for folder in (home / "staging" / "runs" / mission.datatake / "jobs").glob(f"*tile={TILE}*"):
        shutil.rmtree(folder)
    chapter("undisturbed")
    notes["outputs undisturbed"] = job_outputs(mission, mission.datatake)
    chapter("from L2A", from_level=Level.L2A)
    (home / "story.json").write_text(json.dumps(notes))


def run_alone(mission: Mission, fault: str, limit_s: float | None = None) -> ClusterResult:
    """Run only the L1C cluster of the tile, with a fault, and with a time limit for the job that has it."""
    production = mission.production
    run = RunKey("datatake", mission.datatake, "single_machine", faults=(fault,))
    found = next(item for item in production.plan(run, "tiles") if item.id == f"l1c_tile@tile={TILE}")
    if limit_s is not None:
        key = layout.request(run.id, found.id)
        request = ClusterRequest.model_validate_json(production.store.read(key))
        jobs = tuple(
            job.model_copy(update={"timeout_s": limit_s}) if "S2PS_FAULT" in job.environment else job
            for job in request.jobs
        )
        production.store.write(key, request.model_copy(update={"jobs": jobs}).dump().encode())
    return production.run_cluster(run, found.id)


@contextmanager
def away(mission: Mission, path: Path) -> Iterator[None]:
    """Take a file or folder of a mission away for a while."""
    hidden = mission.home / f"away_{path.name}"
    path.rename(hidden)
    try:
        yield
    finally:
        hidden.rename(path)


@contextmanager
def changed(path: Path, content: bytes) -> Iterator[None]:
    """Give a file another content for a while."""
    kept = path.with_suffix(".kept")
    path.rename(kept)
    path.write_bytes(content)
    try:
        yield
    finally:
        kept.replace(path)


@contextmanager
def truncated(mission: Mission, *, announced: bool = False) -> Iterator[None]:
    """Cut the last file of channel 2; `announced`: the DSIB tells the smaller size, so only the frames show it."""
    last = sorted(mission.session.glob("ch_2/*.raw"))[-1]
    dsib = _one(mission.session, "ch_2/*_DSIB.xml")
    size = read_dsib(dsib).data_size
    text = dsib.read_text()
    assert f"<data_size>{size}<" in text
    told = text.replace(f"<data_size>{size}<", f"<data_size>{size - CUT}<") if announced else text
    with changed(last, last.read_bytes()[:-CUT]), changed(dsib, told.encode()):
        yield


@contextmanager
def wrong_dsib(mission: Mission) -> Iterator[None]:
    """Give channel 1 the DSIB of another session."""
    dsib = _one(mission.session, "ch_1/*_DSIB.xml")
    text = dsib.read_text().replace(read_dsib(dsib).session_id, "S2B_20260101000000000001", 1)
    with changed(dsib, text.encode()):
        yield


def _one(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(pattern)
    return found
