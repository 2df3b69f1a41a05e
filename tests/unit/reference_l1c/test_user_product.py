"""GDAL's own Sentinel-2 driver reads the user products that are made of the items."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from unit.reference_l1c.small_chain import TILE, Chain

from ipf_adapters.reference.l1c.jpeg2000 import read_jp2
from s2ps.formats.manifest import differences
from s2ps.model.mission import Level
from s2ps.publication.provenance import Provenance
from s2ps.publication.user_product import publish_user_product

ASPECTS = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY")
COUNTS = {Level.L1C: {10: 4, 20: 6, 60: 3}, Level.L2A: {10: 6, 20: 11, 60: 7}}


def product_of(chain: Chain, level: Level, folder: Path) -> Path:
    """Publish the user product of a level with quality reports that passed."""
    tile, datastrip = (
        (chain.tile_item, chain.datastrip_item)
        if level is Level.L1C
        else (chain.l2a_tile_item, chain.l2a_datastrip_item)
    )
    for item in (tile, datastrip):
        for aspect in ASPECTS:
            report = folder / "reports" / item.name / "QI_DATA" / f"{item.name}_{aspect}_report.xml"
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text('<report globalStatus="PASSED"/>')
    provenance = Provenance(plan_hash="1" * 8)
    return publish_user_product(level, tile, datastrip, [folder / "reports"], [], provenance, folder / "products")


@pytest.mark.parametrize("level", [Level.L1C, Level.L2A])
def test_products_open_with_the_right_place_and_bands(chain: Chain, level: Level, tmp_path: Path) -> None:
    product = product_of(chain, level, tmp_path)
    assert product.name == f"S2B_MSI{level}_20260701T101559_N0500_R022_T{TILE}_20260701T120000.SAFE"
    assert list(differences(product)) == []
    metadata, tile = product / f"MTD_MSI{level}.xml", chain.truth.tile(TILE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(metadata) as whole:
            assert whole.driver == "SENTINEL2"
            assert len(whole.subdatasets) == 4
    for resolution, count in COUNTS[level].items():
        with rasterio.open(f"SENTINEL2_{level}:{metadata}:{resolution}m:EPSG_32632") as image:
            assert image.crs.to_epsg() == 32632
            assert image.transform[:6] == tile.transform(resolution)
            assert image.shape == (tile.size(resolution), tile.size(resolution))
            assert image.count == count
            assert image.tags()["PRODUCT_URI"] == product.name
    suffix = "_10m" if level is Level.L2A else ""
    red = read_jp2(next((product / "GRANULE").rglob(f"T{TILE}*_B04{suffix}.jp2")))
    with rasterio.open(f"SENTINEL2_{level}:{metadata}:10m:EPSG_32632") as image:
        assert image.descriptions[0].startswith("B4")
        assert (image.read(1) == red).all()
