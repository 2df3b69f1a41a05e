from __future__ import annotations

from pathlib import Path

import pytest
from unit.stations.sessions import write_session


@pytest.fixture
def content(tmp_path: Path) -> Path:
    return write_session(tmp_path / "session")
