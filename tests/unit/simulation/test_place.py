"""Where the mission looks: which tiles it meets."""

import numpy as np
import pytest
from pyproj import Transformer

from ipf_adapters.simulation import orbit
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.truth import Truth
from s2ps.model.bands import Band
from s2ps.model.tiles import Tile

EXPECTED = ["32TMR", "32TNR", "32TPR", "32TQR", "32TMQ", "32TNQ", "32TPQ", "32TQQ"]


def _tiles(mission: MissionSettings) -> list[Tile]:
    model = orbit.true_model(mission.takes()[0], build_instrument(mission))
    last_line, last_col = mission.takes()[0].lines(Band.B02) - 1.0, Band.B02.width(mission.scale) - 1.0
    corners = []
    for detector, col, lines in ((1, 0.0, (0.0, last_line)), (12, last_col, (last_line, 0.0))):
        lon, lat = model.locate(detector, Band.B02, np.array(lines), col, 300.0)
        x, y = Transformer.from_crs(4326, mission.epsg, always_xy=True).transform(lon, lat)
        corners += list(zip(x.tolist(), y.tolist(), strict=True))
    return Truth.of(mission).grid.tiles_intersecting(corners)


@pytest.mark.parametrize("scale", [5, 10, 20])
def test_four_scenes_meet_eight_tiles(scale: int) -> None:
    assert [tile.name for tile in _tiles(MissionSettings(scale=scale))] == EXPECTED


def test_a_later_datatake_lies_further_along_the_same_track() -> None:
    mission = MissionSettings(scale=10, datatakes=2)
    starts = np.array([take.start_gps for take in mission.takes()])
    lon, lat = orbit.ground_track(mission, starts)
    assert lat[1] < lat[0]
    assert lon[1] < lon[0]
    assert mission.takes()[1].name == "GS2B_20260701T101659_048123_N05.00"


def test_long_datatakes_do_not_overlap() -> None:
    first, second = MissionSettings(scenes=16, datatakes=2).takes()
    assert (second.start - first.start).total_seconds() > first.seconds + 25.0
