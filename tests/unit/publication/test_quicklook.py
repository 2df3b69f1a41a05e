"""Quick-looks: cloud-optimised, on their place on Earth, the same every time."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import rasterio
from unit.publication.small_products import (
    COLUMNS,
    L0_DS,
    ORIGIN,
    ROWS,
    level_0,
    quicklooks,
    tile_items,
    user_product,
)

from s2ps.publication.pictures import Pictures
from s2ps.publication.product_facts import Facts, read_facts
from s2ps.publication.quicklook import EDGE, PREVIEW_EDGE, Picture, encode
from s2ps.publication.strips import read_strips

pytestmark = pytest.mark.unit


def facts(path: Path) -> Facts:
    """Read the facts of a product of the small datatake."""
    return read_facts(path, ORIGIN)


def cog_findings(content: bytes, path: Path) -> list[str]:
    """Return what is against the rules of a cloud-optimised GeoTIFF: header first, overviews before data, tiles."""
    path.write_bytes(content)
    findings = []
    with rasterio.open(path) as image:
        if image.driver != "GTiff" or not image.profile["tiled"]:
            findings.append("no tiled GeoTIFF")
        if max(image.shape) > 512 and not image.overviews(1):
            findings.append("no overviews")
        sizes = image.overviews(1)
        if sizes != sorted(sizes):
            findings.append("overviews out of order")
    pages = _pages(content)
    main, *smaller = [page for page in pages if not page["mask"]]
    starts = [page["at"] for page in pages]
    if starts != sorted(starts) or starts[0] > 2000 or max(starts) > min(min(page["tiles"]) for page in pages):
        findings.append(f"directories are not at the head: {starts}")
    firsts = [min(page["tiles"]) for page in (*reversed(smaller), main)]
    if firsts != sorted(firsts):
        findings.append("data of overviews do not come first")
    return findings


def _pages(content: bytes) -> list[dict[str, object]]:
    """Return place, offsets of the tiles, and kind of every directory of a little-endian TIFF."""
    assert content[:4] == b"II*\0"
    at, pages = struct.unpack_from("<L", content, 4)[0], []
    while at:
        count = struct.unpack_from("<H", content, at)[0]
        tags = {}
        for number in range(count):
            tag, kind, length, value = struct.unpack_from("<HHLL", content, at + 2 + 12 * number)
            form, width = {1: ("B", 1), 3: ("H", 2), 4: ("L", 4)}.get(kind, ("", 0))
            if form:
                place = at + 2 + 12 * number + 8 if width * length <= 4 else value
                tags[tag] = struct.unpack_from(f"<{length}{form}", content, place)
        pages.append({"at": at, "tiles": [o for o in tags[324] if o], "mask": bool(tags.get(254, (0,))[0] & 4)})
        at = struct.unpack_from("<L", content, at + 2 + 12 * count)[0]
    return pages


def test_tile_shows_its_true_colour_image_where_it_is(tmp_path: Path) -> None:
    for path in (user_product(tmp_path), *tile_items(tmp_path)):
        found = Pictures(tmp_path).quicklook(facts(path))
        assert found is not None
        assert cog_findings(found.geotiff, tmp_path / "ql.tif") == []
        with rasterio.open(tmp_path / "ql.tif") as image:
            assert image.crs.to_epsg() == 32632
            assert image.transform[:6] == (10.0, 0.0, 600000.0, 0.0, -10.0, 5000040.0)
            assert image.count == 3
            seen = image.dataset_mask() > 0
            assert not seen[:20, :20].any(), "no data are told by the mask"
            assert seen[20:, :].all()
            ramp = image.read(1).astype(float)
            assert abs(ramp[100, 100] - (1 + 254 * (100 * 128 + 100) / 128**2)) < 6
        assert found.preview[:3] == b"\xff\xd8\xff"


def test_large_images_are_reduced_and_the_same_every_time(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(1, 255, (3, 4 * EDGE, 3 * EDGE), dtype=np.uint8)[:, : 2 * EDGE, : EDGE + 7]
    picture = Picture(pixels, 32632, (10.0, 0.0, 600000.0, 0.0, -10.0, 5000040.0))
    first, second = encode(picture), encode(Picture(pixels.copy(), 32632, picture.transform))
    assert first == second
    assert cog_findings(first.geotiff, tmp_path / "large.tif") == []
    with rasterio.open(tmp_path / "large.tif") as image:
        assert image.overviews(1)
    (tmp_path / "p.jpg").write_bytes(first.preview)
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(tmp_path / "p.jpg") as preview:
        assert max(preview.shape) <= PREVIEW_EDGE


def test_rules_of_the_test_find_a_plain_geotiff(tmp_path: Path) -> None:
    plain = tmp_path / "plain.tif"
    place = rasterio.transform.Affine(10, 0, 0, 0, -10, 0)
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    with rasterio.open(
        plain, "w", "GTiff", width=600, height=600, count=1, dtype="uint8", crs="EPSG:32632", transform=place, **tiles
    ) as image:
        image.write(np.ones((1, 600, 600), np.uint8))
        image.build_overviews([2], rasterio.enums.Resampling.average)
    assert cog_findings(plain.read_bytes(), plain)


def test_datastrip_and_granule_show_the_quick_look_where_it_is(tmp_path: Path) -> None:
    datastrip, granule = level_0(tmp_path)
    pictures = Pictures(tmp_path)
    whole, part = pictures.of(facts(datastrip)), pictures.of(facts(granule))
    assert whole is not None
    assert part is not None
    assert whole.epsg == part.epsg == 4326
    values = {}
    for name, picture in (("whole", whole), ("part", part)):
        step, _, west, _, _, north = picture.transform
        for latitude in (44.93, 44.97):
            for longitude in (10.03, 10.09):
                row, column = int((north - latitude) / step), int((longitude - west) / step)
                inside = 0 <= row < picture.pixels.shape[1] and 0 <= column < picture.pixels.shape[2]
                values[name, latitude, longitude] = int(picture.pixels[0, row, column]) if inside else 0
    assert values["whole", 44.93, 10.03] > values["whole", 44.97, 10.03] > values["whole", 44.97, 10.09] > 0
    assert values["part", 44.97, 10.03] == values["part", 44.93, 10.09] == 0, "only the second granule of detector 2"
    assert abs(values["part", 44.93, 10.03] - values["whole", 44.93, 10.03]) <= 6
    assert (whole.pixels.max(axis=0) > 0).mean() > 0.95


def test_items_of_later_levels_take_the_level_0_quick_look_of_their_datastrip(tmp_path: Path) -> None:
    datastrip, _ = level_0(tmp_path)
    later = tmp_path / "PDI" / "L1C" / L0_DS.replace("L0_", "L1C").replace("T110000", "T120000")
    shutil.copytree(datastrip, later)
    shutil.rmtree(later / "QI_DATA")
    (later / "Inventory_Metadata.xml").write_text((datastrip / "Inventory_Metadata.xml").read_text())
    assert Pictures(tmp_path).quicklook(facts(later)) == Pictures(tmp_path).quicklook(facts(datastrip))
    shutil.rmtree(datastrip)
    assert Pictures(tmp_path).quicklook(facts(later)) is None


def test_quick_look_over_the_antimeridian_is_one_small_picture(tmp_path: Path) -> None:
    quicklooks(tmp_path, west=180 - 0.05)
    strips = read_strips(tmp_path)
    assert strips is not None
    assert strips.whole is not None
    _, rows, columns = strips.whole.pixels.shape
    assert (rows, columns) == pytest.approx((ROWS, 2 * COLUMNS), abs=3)


def test_no_colours_no_quick_look(tmp_path: Path) -> None:
    datastrip, granule = level_0(tmp_path)
    for path in (datastrip / "QI_DATA").glob("*_B03.jp2"):
        path.unlink()
    assert Pictures(tmp_path).quicklook(facts(datastrip)) is None
    assert Pictures(tmp_path).quicklook(facts(granule)) is None
