"""A STAC item per product: STAC 1.1 with the extensions that Sentinel-2 items of others have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pystac
from shapely.geometry import mapping

from s2ps.formats.pdi_metadata import PdiMetadata
from s2ps.model.timestamps import format_utc
from s2ps.publication.packages import Package
from s2ps.publication.product_facts import Facts
from s2ps.publication.stac_assets import Looks, assets_of

_BASE = "https://stac-extensions.github.io"
EXTENSIONS = {
    "eo:": f"{_BASE}/eo/v1.1.0/schema.json", "proj:": f"{_BASE}/projection/v2.0.0/schema.json",
    "view:": f"{_BASE}/view/v1.0.0/schema.json", "sat:": f"{_BASE}/sat/v1.0.0/schema.json",
    "grid:": f"{_BASE}/grid/v1.1.0/schema.json", "mgrs:": f"{_BASE}/mgrs/v1.0.0/schema.json",
    "file:": f"{_BASE}/file/v2.1.0/schema.json", "processing:": f"{_BASE}/processing/v1.2.0/schema.json",
    "published": f"{_BASE}/timestamps/v1.1.0/schema.json", "expires": f"{_BASE}/timestamps/v1.1.0/schema.json",
}  # fmt: skip
"""Beginning of a field -> schema of its extension."""
_CONTENT = (
    "DEGRADED_MSI_DATA_PERCENTAGE", "NODATA_PIXEL_PERCENTAGE", "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE",
    "DARK_FEATURES_PERCENTAGE", "CLOUD_SHADOW_PERCENTAGE", "VEGETATION_PERCENTAGE", "NOT_VEGETATED_PERCENTAGE",
    "WATER_PERCENTAGE", "UNCLASSIFIED_PERCENTAGE", "MEDIUM_PROBA_CLOUDS_PERCENTAGE", "HIGH_PROBA_CLOUDS_PERCENTAGE",
    "THIN_CIRRUS_PERCENTAGE", "SNOW_ICE_PERCENTAGE",
)  # fmt: skip


def item_id(name: str) -> str:
    """Return the id of the item of a product: the name of its folder without .SAFE."""
    return name.removesuffix(".SAFE")


def collection_of(facts: Facts) -> str:
    """Return the collection of a product: one for each product type, as "sentinel-2-l1c" or "sentinel-2-l1c-tl"."""
    if facts.kind in ("HKTM", "SAD"):
        return f"sentinel-2-{facts.kind.lower()}"
    level = facts.level.lower()
    return f"sentinel-2-{level}" if facts.kind == "USER" else f"sentinel-2-{level}-{facts.kind.lower()}"


def item_of(
    facts: Facts, package: Package, looks: Looks | None, published: datetime, expires: datetime | None
) -> dict[str, Any]:
    """Return the item of a product, without links: the catalogue that holds it knows where it is."""
    shape = facts.footprint
    sensed = facts.item.first("SENSING_TIME") if facts.item is not None else None
    properties = dict([*_common(facts, published, expires), *_tile(facts), *_sentinel(facts)])
    whole = {"start_datetime": format_utc(facts.start), "end_datetime": format_utc(facts.stop)}
    item = pystac.Item(
        item_id(facts.name),
        mapping(shape) if shape is not None else None,
        [round(bound, 9) for bound in shape.bounds] if shape is not None else None,
        facts.item.time("SENSING_TIME") if sensed and facts.item is not None else facts.start,
        properties | (whole if facts.stop > facts.start else {}),
        collection=collection_of(facts),
        assets=assets_of(facts, package, looks),
    )
    document: dict[str, Any] = item.to_dict(include_self_link=False, transform_hrefs=False)
    document["links"] = []
    document["stac_extensions"] = _extensions(document)
    return dict(json.loads(json.dumps(document)))


def _extensions(document: dict[str, Any]) -> list[str]:
    fields = {*document["properties"], *(field for asset in document["assets"].values() for field in asset)}
    return sorted({uri for start, uri in EXTENSIONS.items() if any(field.startswith(start) for field in fields)})


def _common(facts: Facts, published: datetime, expires: datetime | None) -> Iterator[tuple[str, Any]]:
    yield "created", format_utc(facts.created if facts.kind != "HKTM" else published)
    yield "published", format_utc(published)
    if expires is not None:
        yield "expires", format_utc(expires)
    yield "platform", f"sentinel-{facts.unit[1:].lower()}"
    yield "constellation", "sentinel-2"
    if facts.kind not in ("HKTM", "SAD"):
        yield "instruments", ["msi"]
        yield "processing:level", facts.level[:2]
    if facts.centre:
        yield "processing:facility", facts.centre
    if facts.inventory is not None:
        yield "processing:software", {facts.inventory.source: facts.inventory.source_version}
        yield "sat:orbit_state", "ascending" if facts.inventory.ascending else "descending"
    yield "sat:relative_orbit", facts.origin.relative_orbit
    yield "sat:absolute_orbit", facts.origin.absolute_orbit
    if facts.inventory is not None and facts.kind in ("GR", "TL", "USER"):
        yield "eo:cloud_cover", facts.inventory.cloud_percentage


def _tile(facts: Facts) -> Iterator[tuple[str, Any]]:
    if facts.tile is None:
        return
    zone, band, square = facts.tile[:2], facts.tile[2], facts.tile[3:]
    yield from {"mgrs:utm_zone": int(zone), "mgrs:latitude_band": band, "mgrs:grid_square": square}.items()
    yield "grid:code", f"MGRS-{facts.tile}"
    if facts.item is None:
        return
    yield "proj:code", facts.item.text("HORIZONTAL_CS_CODE")
    if facts.footprint is not None:
        centre = facts.footprint.centroid
        yield "proj:centroid", {"lat": round(centre.y, 5), "lon": round(centre.x, 5)}
    yield from _angles(facts.item)


def _angles(item: PdiMetadata) -> Iterator[tuple[str, Any]]:
    sun = [_number(item, f".//{{*}}Mean_Sun_Angle/{tag}") for tag in ("ZENITH_ANGLE", "AZIMUTH_ANGLE")]
    if sun[0] is not None and sun[1] is not None:
        yield "view:sun_elevation", 90.0 - sun[0]
        yield "view:sun_azimuth", sun[1] % 360.0
    views = [
        (float(node.findtext("ZENITH_ANGLE") or "nan"), float(node.findtext("AZIMUTH_ANGLE") or "nan"))
        for node in item.root.iter("{*}Mean_Viewing_Incidence_Angle")
    ]
    if views and all(math.isfinite(zenith + azimuth) for zenith, azimuth in views):
        yield "view:incidence_angle", sum(zenith for zenith, _ in views) / len(views)
        east, north = (sum(f(math.radians(a)) for _, a in views) for f in (math.sin, math.cos))
        yield "view:azimuth", math.degrees(math.atan2(east, north)) % 360.0


def _number(item: PdiMetadata, path: str) -> float | None:
    text = item.root.findtext(path)
    return float(text) if text else None


def _sentinel(facts: Facts) -> Iterator[tuple[str, Any]]:
    """Yield the properties of the s2: prefix, as others name them."""
    yield "s2:datatake_id", facts.origin.datatake
    yield "s2:product_type", facts.type
    if facts.kind in ("HKTM", "SAD"):
        return
    yield "s2:datatake_type", facts.origin.type
    yield "s2:generation_time", format_utc(facts.created)
    baseline = re.search(r"_N(\d{2})\.?(\d{2})(?:_|$)", facts.name)
    if baseline:
        yield "s2:processing_baseline", f"{baseline[1]}.{baseline[2]}"
    if facts.kind == "USER":
        yield "s2:product_uri", facts.name
    if facts.item is not None:
        for name, tag in (
            ("s2:datastrip_id", "DATASTRIP_ID"),
            ("s2:tile_id", "TILE_ID"),
            ("s2:granule_id", "GRANULE_ID"),
        ):
            if value := facts.item.first(tag):
                yield name, value
        for tag in _CONTENT:
            if value := facts.item.first(tag):
                yield f"s2:{tag.lower()}", float(value)
    conversion = facts.product.first("U") if facts.product is not None else None
    if conversion:
        yield "s2:reflectance_conversion_factor", float(conversion)
