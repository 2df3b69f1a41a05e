"""What users find after a whole run: every product packaged, recorded, with quick-look and a STAC item."""

from __future__ import annotations

import hashlib
import json
import tarfile
import warnings
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pystac
import pytest
import rasterio
from integration.missions import Mission
from pystac.extensions.eo import EOExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.grid import GridExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.sat import SatExtension
from pystac.extensions.view import ViewExtension
from pystac.validation import validate_dict
from stac_validity import Findings, stac_findings  # noqa: F401

from s2ps.inventory.lineage import lineage
from s2ps.inventory.publications import Publication, PublicationStore, identify
from s2ps.inventory.store import Inventory
from s2ps.publication.folder_packages import FolderPackages

pytestmark = pytest.mark.integration

DOWNLINK = ("HKTM", "SAD")
STAGGER = timedelta(seconds=6)
"""The last detector sees the end of the datastrip at most this much later than the first."""
GRANULE_S = 240 * 15.65873622e-3
"""Seconds of a granule at scale 10: its lines times their period."""


@pytest.fixture(scope="module")
def published(refined: Mission) -> dict[str, Publication]:
    """Every publication of the mission, by the name of its folder."""
    store = PublicationStore(Inventory(refined.home / "inventory.sqlite"))
    user = [path for level in ("L1C", "L2A") for path in (refined.products_folder / level).glob("S2*")]
    folders = [*user, *(refined.products_folder / "PDI").glob("*/S2*")]
    found = {path: store.get(identify(path.name + (".zip" if path in user else ".tar"))) for path in folders}
    assert [path.name for path, publication in found.items() if publication is None] == []
    return {path.name: publication for path, publication in found.items() if publication is not None}


@pytest.fixture(scope="module")
def images(published: dict[str, Publication]) -> dict[str, Publication]:
    """The publications of images: all but telemetry and ancillary data."""
    return {name: found for name, found in published.items() if found.level not in DOWNLINK}


@pytest.fixture(scope="module")
def catalogue(refined: Mission) -> pystac.Catalog:
    """The static catalogue."""
    return pystac.Catalog.from_file(str(refined.home / "packages" / "stac" / "catalog.json"))


def _path(uri: str) -> Path:
    return Path(uri.removeprefix("file://"))


def _attributes(publication: Publication) -> dict[str, Any]:
    return {each.name: each.value for each in publication.attributes}


def test_packages_hold_the_published_folders(refined: Mission, published: dict[str, Publication]) -> None:
    for name, publication in published.items():
        path = _path(publication.location)
        sums = {each.algorithm: each.value for each in publication.checksums}
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums["SHA256"]
        assert path.stat().st_size == publication.content_length
        if name.endswith(".SAFE"):
            with zipfile.ZipFile(path) as package:
                inside = set(package.namelist())
                assert package.testzip() is None
        else:
            with tarfile.open(path) as package:
                inside = set(package.getnames())
        folder = next(refined.products_folder.rglob(name))
        assert inside == {p.relative_to(folder.parent).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_gdal_opens_a_user_product_in_its_package(published: dict[str, Publication]) -> None:
    name, publication = next((n, p) for n, p in published.items() if n.startswith("S2B_MSIL1C"))
    metadata = f"/vsizip/{_path(publication.location)}/{name}/MTD_MSIL1C.xml"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(metadata) as product:
            assert product.driver == "SENTINEL2"
            assert len(product.subdatasets) == 4


def test_t0_retention_and_footprint_are_those_of_the_datatake(refined: Mission, images: dict[str, Publication]) -> None:
    inventory = Inventory(refined.home / "inventory.sqlite")
    session = inventory.sessions()[0]
    datatake = inventory.datatakes_of(session.id)[0]
    for publication in images.values():
        found = _attributes(publication)
        assert publication.origin_date == datatake.t0 == session.t0
        assert publication.eviction_date is not None
        days = (publication.eviction_date - publication.published_at).total_seconds() / 86400
        assert days == pytest.approx(30 if publication.level == "L0" else 7, abs=0.01)
        assert datatake.start <= publication.content_start <= publication.content_end <= datatake.stop + STAGGER
        if str(found["productType"]).endswith("_GR"):
            seconds = (publication.content_end - publication.content_start).total_seconds()
            assert seconds == pytest.approx(GRANULE_S, abs=1e-5)
        assert found["orbitNumber"] == datatake.absolute_orbit
        assert found["relativeOrbitNumber"] == datatake.relative_orbit
        assert found["operationalMode"] == datatake.type
        assert found["productGroupId"] == datatake.id
        assert found["qualityStatus"] == "NOMINAL"
        assert publication.footprint is not None
        assert publication.footprint.is_valid


def test_telemetry_and_ancillary_data_are_products_of_their_session(
    refined: Mission, published: dict[str, Publication]
) -> None:
    inventory = Inventory(refined.home / "inventory.sqlite")
    session = inventory.sessions()[0]
    (datatake,) = inventory.datatakes_of(session.id)
    found = {publication.level: (name, publication) for name, publication in published.items()}
    assert set(DOWNLINK) <= set(found)
    for name, publication in (found[level] for level in DOWNLINK):
        assert publication.origin_date == session.t0
        assert publication.eviction_date is None
        assert _attributes(publication)["orbitNumber"] == datatake.absolute_orbit
        assert session.id in {link.name for link in lineage(inventory, name).origins}
        assert inventory.product(name).datatake == datatake.id


def test_quick_looks_are_georeferenced_and_complete(images: dict[str, Publication]) -> None:
    kinds = Counter(str(_attributes(p)["productType"]) for p in images.values() if p.quicklook is None)
    assert not kinds
    for publication in images.values():
        assert publication.quicklook is not None
        assert _path(publication.quicklook).read_bytes()[:3] == b"\xff\xd8\xff"
        with rasterio.open(_path(publication.quicklook).with_suffix(".tif")) as image:
            assert image.crs is not None
            assert (image.read().max(axis=0) > 0).mean() > 0.02


def test_catalogue_is_whole_and_valid(catalogue: pystac.Catalog, published: dict[str, Publication]) -> None:
    items = {item.id: item for item in catalogue.get_items(recursive=True)}
    assert set(items) == {name.removesuffix(".SAFE") for name in published}
    folders = [
        *catalogue.get_children(),
        *(child for each in catalogue.get_children() for child in each.get_children()),
    ]
    for entry in (catalogue, *folders):
        validate_dict(entry.to_dict(include_self_link=False))
    for item in items.values():
        validate_dict(item.to_dict(include_self_link=False), extensions=[])
        collection = item.get_collection()
        assert collection is not None
        assert collection.id == item.collection_id


def test_items_tell_what_others_tell_of_sentinel_2(catalogue: pystac.Catalog) -> None:
    for collection, assets in (
        ("sentinel-2-l1c", {"coastal", "blue", "green", "red", "nir", "cirrus", "swir22", "visual"}),
        ("sentinel-2-l2a", {"red", "red_20m", "red_60m", "scl", "scl_60m", "aot", "aot_10m", "wvp", "visual"}),
    ):
        found = catalogue.get_child(collection)
        assert found is not None
        for item in found.get_items(recursive=True):
            documents = {"product", "thumbnail", "overview", "granule_metadata", "product_metadata", "safe_manifest"}
            assert set(item.assets) >= assets | documents | {"inspire_metadata", "datastrip_metadata"}
            assert all(Path(_path(asset.href)).exists() for asset in item.assets.values())
            projection = ProjectionExtension.ext(item)
            assert projection.epsg == 32632
            red = item.assets["red"]
            assert EOExtension.ext(red).bands[0].common_name == "red"
            with rasterio.open(_path(red.href)) as image:
                asset = ProjectionExtension.ext(red)
                assert asset.shape == list(image.shape)
                assert asset.transform == list(image.transform[:6])
            assert SatExtension.ext(item).relative_orbit == 22
            assert GridExtension.ext(item).code == f"MGRS-{item.id.split('_T')[1][:5]}"
            assert 60 < (ViewExtension.ext(item).sun_elevation or 0) < 70
            assert item.properties["eo:cloud_cover"] >= 0
            product = FileExtension.ext(item.assets["product"])
            assert product.size == _path(item.assets["product"].href).stat().st_size
            assert item.properties["s2:product_uri"] == f"{item.id}.SAFE"


def test_every_document_is_valid_by_a_validator_of_others(refined: Mission, stac_findings: Findings) -> None:  # noqa: F811
    documents = [json.loads(path.read_text()) for path in (refined.home / "packages" / "stac").rglob("*.json")]
    assert [finding for each in documents for finding in stac_findings(each)] == []


def test_publications_are_the_only_things_in_the_store(refined: Mission, published: dict[str, Publication]) -> None:
    store = FolderPackages(refined.home / "packages")
    assert store.sweep(datetime.now(UTC) - timedelta(days=1)) == 0
    known = {_path(uri).name for p in published.values() for uri in (p.location, p.quicklook) if uri}
    files = {p.name for p in store.root.rglob("*") if p.is_file() and not {".locks", "stac"} & set(p.parts)}
    assert {name for name in files if not name.endswith("-ql.tif")} == known
