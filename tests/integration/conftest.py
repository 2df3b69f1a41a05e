"""Whole runs of simulated missions, each made once and shared by all integration tests and workers.

S2PS_TEST_MISSIONS=DIR keeps them for the next time; remove DIR when the code that makes them has changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from integration.missions import Mission, simulate
from integration.once import once, shared_root

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
def unrefined(make_once: Once) -> Mission:
    """A small raw observation without reference images: its bias stays in the products. It has every level."""
    return Mission(make_once("unrefined", lambda folder: _finished(folder, **SMALL)))


SMALL: dict[str, object] = {"scale": 40, "scenes": 4, "seed": 1, "type": "INS-RAW", "gri": False}
"""The cheapest mission that has every level."""
