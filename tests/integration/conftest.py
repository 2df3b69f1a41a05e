"""Whole runs of simulated missions, each made once and shared by all integration tests and workers.

S2PS_TEST_MISSIONS=DIR keeps them for the next time; remove DIR when the code that makes them has changed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from integration.missions import Mission, Record, simulate
from integration.once import once, shared_root
from integration.story import Story, tell

Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Fill a named folder once for all workers."""
    kept = os.environ.get("S2PS_TEST_MISSIONS")
    root = Path(kept) if kept else shared_root(tmp_path_factory, worker_id) / "missions"
    return lambda name, make: once(root / name, make)


def _finished(folder: Path, **options: object) -> None:
    record = simulate(folder, **options).run()
    assert not record.error, record.error


@pytest.fixture(scope="session")
def refined(make_once: Once) -> Mission:
    """The demo: four scenes at scale 10 with reference images, run to L1C and L2A."""
    return Mission(make_once("refined", lambda folder: _finished(folder, scale=10, scenes=4, seed=1)))


@pytest.fixture(scope="session")
def story(make_once: Once) -> Story:
    """A small raw observation without reference images that met every mishap and was mended each time."""
    return Story(Mission(make_once("story", tell)))


@pytest.fixture(scope="session")
def unrefined(story: Story) -> Mission:
    """The same: without reference images its bias stays in the products. It has every level."""
    return story.mission


def _recorded(make_once: Once, name: str, **options: object) -> tuple[Mission, Record]:
    def make(folder: Path) -> None:
        record = simulate(folder, **options).run()
        (folder / "record.json").write_text(json.dumps(asdict(record)))

    folder = make_once(name, make)
    return Mission(folder), Record(**json.loads((folder / "record.json").read_text()))


@pytest.fixture(scope="session")
def three_scenes(make_once: Once) -> tuple[Mission, Record]:
    """Two datatakes in one session, each too short for Level 1."""
    return _recorded(make_once, "three_scenes", scale=40, scenes=3, seed=2, datatakes=2, gri=False)


@pytest.fixture(scope="session")
def unknown_type(make_once: Once) -> tuple[Mission, Record]:
    """A datatake of a type nobody knows, long enough for every level."""
    return _recorded(make_once, "unknown_type", scale=40, scenes=4, seed=3, type="INS-XXXX", gri=False)
