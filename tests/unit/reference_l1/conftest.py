"""One small session for all tests, and the chain run over it with jobs split in different ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.reference_l1.chain import Chain, run_chain
from unit.reference_l1.small_session import Session, make


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    """The observation."""
    return make(tmp_path_factory.mktemp("session"))


@pytest.fixture(scope="session")
def chain(session: Session) -> Chain:
    """L1A and L1B with the reference image."""
    return run_chain(session)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path
