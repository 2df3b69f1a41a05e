"""The small mission as a fixture."""

import pytest

from ipf_adapters.science.geometry import SensorModel
from unit.science.small_mission import build_model


@pytest.fixture(scope="session")
def model() -> SensorModel:
    """The model without bias."""
    return build_model()
