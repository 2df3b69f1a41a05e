"""The small mission as a fixture."""

import pytest
from unit.science.small_mission import build_model

from ipf_adapters.science.geometry import SensorModel


@pytest.fixture(scope="session")
def model() -> SensorModel:
    """The model without bias."""
    return build_model()
