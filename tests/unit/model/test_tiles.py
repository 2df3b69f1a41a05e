"""The tile grid has the real names and corners at scale 1 and shrinks around its anchor."""

import pytest

from s2ps.model.errors import InputError
from s2ps.model.tiles import TileGrid

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("epsg", "name", "ulx", "uly"),
    [(32646, "46RER", 499980, 3100020), (32633, "33XWJ", 499980, 8900040), (32631, "31TCJ", 300000, 4900020)],
)
def test_real_tiles_at_scale_one(epsg: int, name: str, ulx: int, uly: int) -> None:
    tile = TileGrid(epsg, 500_000, 5_000_000).tile(name)
    assert (tile.ulx, tile.uly) == (ulx, uly)
    assert [tile.size(resolution) for resolution in (10, 20, 60)] == [10980, 5490, 1830]


def test_shrunk_grid_keeps_names_and_overlap() -> None:
    real = TileGrid(32632, 600_000, 5_000_000, 1)
    small = TileGrid(32632, 600_000, 5_000_000, 10)
    name = next(real.tiles_near(610_000, 5_010_000, 611_000, 5_011_000)).name
    tile = small.tile(name)
    assert tile.size(10) == 1098
    assert tile.size(60) == 183
    assert tile.ulx == 600_000
    assert tile.uly == pytest.approx(5_010_000, abs=60)


def test_tiles_of_a_footprint_in_reading_order() -> None:
    grid = TileGrid(32632, 600_000, 5_000_000, 10)
    footprint = [(590_500, 5_000_500), (609_000, 5_001_000), (609_000, 5_009_000), (590_500, 5_009_000)]
    found = grid.tiles_intersecting(footprint)
    assert len({tile.name for tile in found}) == len(found)
    corners = [(-tile.uly, tile.ulx) for tile in found]
    assert corners == sorted(corners)
    assert {grid.tile(tile.name) for tile in found} == set(found)


def test_triangle_misses_the_tile_its_box_meets() -> None:
    grid = TileGrid(32632, 600_000, 5_000_000, 10)
    triangle = [(600_990, 5_001_000), (617_500, 5_001_000), (600_990, 5_017_500)]
    box = list(grid.tiles_near(600_990, 5_001_000, 617_500, 5_017_500))
    found = grid.tiles_intersecting(triangle)
    assert {tile.name for tile in box} - {tile.name for tile in found} == {grid.tile("32TQS").name}


def test_unknown_tile() -> None:
    with pytest.raises(InputError, match="33TPQ"):
        TileGrid(32632, 600_000, 5_000_000).tile("33TPQ")
