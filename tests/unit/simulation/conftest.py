from pathlib import Path

import pytest

from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.run import simulate
from ipf_adapters.simulation.truth import Truth


@pytest.fixture(scope="session")
def mission() -> MissionSettings:
    return MissionSettings(scale=40, scenes=1, seed=7, datatakes=2)


@pytest.fixture(scope="session")
def simulated(mission: MissionSettings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulation") / "mission"
    simulate(mission, folder)
    return folder


@pytest.fixture(scope="session")
def truth(simulated: Path) -> Truth:
    return Truth.load(simulated)
