"""Assets of a STAC item: the package first, its quick-look, and the images and documents of the published folder.

Names of images follow the STAC items that others make of Sentinel-2 products (stactools): `red`, `red_20m` ...
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pystac

from s2ps.formats.pdi_metadata import PdiMetadata
from s2ps.publication.packages import Package
from s2ps.publication.product_facts import Facts
from s2ps.publication.quicklook import COG_TYPE, JPEG_TYPE

JP2, XML = "image/jp2", "application/xml"
_MULTIHASH_SHA256 = "1220"
_BANDS: dict[str, tuple[str, str, int, float, float]] = {
    "B01": ("coastal", "coastal", 60, 0.443, 0.027), "B02": ("blue", "blue", 10, 0.49, 0.098),
    "B03": ("green", "green", 10, 0.56, 0.045), "B04": ("red", "red", 10, 0.665, 0.038),
    "B05": ("rededge1", "rededge", 20, 0.704, 0.019), "B06": ("rededge2", "rededge", 20, 0.74, 0.018),
    "B07": ("rededge3", "rededge", 20, 0.783, 0.028), "B08": ("nir", "nir", 10, 0.842, 0.145),
    "B8A": ("nir08", "nir08", 20, 0.865, 0.033), "B09": ("nir09", "nir09", 60, 0.945, 0.026),
    "B10": ("cirrus", "cirrus", 60, 1.3735, 0.075), "B11": ("swir16", "swir16", 20, 1.61, 0.143),
    "B12": ("swir22", "swir22", 20, 2.19, 0.242),
}  # fmt: skip
"""Band -> asset, common name, metres of a pixel, centre and width (micrometres)."""
_LAYERS = {
    "TCI": ("visual", "True colour image", 10, "visual"), "AOT": ("aot", "Aerosol optical thickness", 20, "data"),
    "WVP": ("wvp", "Water vapour", 20, "data"), "SCL": ("scl", "Scene classification map", 20, "data"),
}  # fmt: skip
_IMAGE = re.compile(r"_(B\d\d|B8A|TCI|AOT|WVP|SCL)(?:_(\d\d)m)?\.jp2$")


@dataclass(frozen=True, slots=True)
class Looks:
    """URIs of the quick-look files."""

    geotiff: str
    preview: str


def assets_of(facts: Facts, package: Package, looks: Looks | None) -> dict[str, pystac.Asset]:
    """Return the assets of a product by name."""
    found = {"product": _package(package)}
    if looks is not None:
        found["overview"] = pystac.Asset(looks.geotiff, "Quick-look", media_type=COG_TYPE, roles=["overview"])
        found["thumbnail"] = pystac.Asset(looks.preview, "Preview", media_type=JPEG_TYPE, roles=["thumbnail"])
    return found | dict(_images(facts)) | dict(_documents(facts))


def _package(package: Package) -> pystac.Asset:
    fields = {"file:size": package.size, "file:checksum": _MULTIHASH_SHA256 + package.sha256}
    return pystac.Asset(
        package.location, package.name, media_type=package.content_type, roles=["data", "archive"], extra_fields=fields
    )


def _images(facts: Facts) -> Iterator[tuple[str, pystac.Asset]]:
    if facts.kind not in ("USER", "TL", "TC") or facts.tile is None:
        return
    folder = facts.path if facts.kind == "TC" else facts.images
    for path in sorted(folder.rglob("*.jp2")):
        found = _IMAGE.search(path.name)
        if found is None:
            continue
        token, metres = found[1], int(found[2] or 0)
        usual = _LAYERS[token][2] if token in _LAYERS else _BANDS[token][2]
        asset = _layer(path, token) if token in _LAYERS else _band(path, token)
        resolution = metres or usual
        asset.extra_fields |= {"gsd": resolution, **_grid(facts.item, resolution)}
        name = _LAYERS[token][0] if token in _LAYERS else _BANDS[token][0]
        yield name if resolution == usual else f"{name}_{resolution}m", asset


def _band(path: Path, token: str) -> pystac.Asset:
    _, common, _, centre, width = _BANDS[token]
    band = {"name": token, "common_name": common, "center_wavelength": centre, "full_width_half_max": width}
    fields = {"eo:bands": [band], "file:size": path.stat().st_size}
    roles = ["data", "reflectance"]
    return pystac.Asset(path.as_uri(), f"Band {token}", media_type=JP2, roles=roles, extra_fields=fields)


def _layer(path: Path, token: str) -> pystac.Asset:
    _, title, _, role = _LAYERS[token]
    fields = {"file:size": path.stat().st_size}
    return pystac.Asset(path.as_uri(), title, media_type=JP2, roles=[role], extra_fields=fields)


def _grid(item: PdiMetadata | None, resolution: int) -> dict[str, list[float]]:
    """Return shape and transform of the images of a tile at a resolution, as its metadata tell them."""
    if item is None:
        return {}
    size = item.root.find(f".//Size[@resolution='{resolution}']")
    place = item.root.find(f".//Geoposition[@resolution='{resolution}']")
    if size is None or place is None:
        return {}
    rows, columns = (float(size.findtext(tag) or "nan") for tag in ("NROWS", "NCOLS"))
    x, y, dx, dy = (float(place.findtext(tag) or "nan") for tag in ("ULX", "ULY", "XDIM", "YDIM"))
    return {"proj:shape": [int(rows), int(columns)], "proj:transform": [dx, 0.0, x, 0.0, dy, y]}


def _documents(facts: Facts) -> Iterator[tuple[str, pystac.Asset]]:
    item = facts.item.source if facts.item is not None else None
    places = {"safe_manifest": facts.path / "manifest.safe"}
    if facts.kind == "USER":
        places |= {"inspire_metadata": facts.path / "INSPIRE.xml"}
        datastrips = sorted((facts.path / "DATASTRIP").glob("*/MTD_DS.xml"))
        places |= {"datastrip_metadata": datastrips[0]} if datastrips else {}
    if facts.product is not None:
        places["product_metadata"] = facts.product.source
    if item is not None:
        places["datastrip_metadata" if facts.kind == "DS" else "granule_metadata"] = item
    for name in sorted(places):
        if places[name].is_file():
            yield name, pystac.Asset(places[name].as_uri(), media_type=XML, roles=["metadata"])
