"""One run of L1C and L2A on a small datastrip, for all tests of these levels."""

from __future__ import annotations

import pytest
from unit.reference_l1c.small_chain import Chain, build_chain


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Folders of a finished run."""
    return build_chain(tmp_path_factory.mktemp("chain"))
