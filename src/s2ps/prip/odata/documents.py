"""Products as JSON of OData v4."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
import shapely
from sqlalchemy import Row

from s2ps.inventory.publications import AttributeValue
from s2ps.model.timestamps import format_utc
from s2ps.prip.odata.properties import ATTRIBUTE_TYPES


def product_documents(
    rows: Sequence[Row[Any]],
    select: Sequence[str],
    expand: Sequence[str],
    attributes: Mapping[int, Sequence[tuple[str, AttributeValue]]],
) -> list[dict[str, Any]]:
    """Return products with the selected properties and the expanded navigation properties.

    `attributes` gives names and values by the key of the product. Footprints are JSON already, written by GEOS for all
    rows at once: orjson takes them as they are.
    """
    shapes = _geojson(rows) if "Footprint" in select or "GeoFootprint" in select else [None] * len(rows)
    return [
        _product(row, shape, select, expand, attributes.get(row.key, ()))
        for row, shape in zip(rows, shapes, strict=True)
    ]


def _product(
    row: Row[Any],
    shape: str | None,
    select: Sequence[str],
    expand: Sequence[str],
    attributes: Sequence[tuple[str, AttributeValue]],
) -> dict[str, Any]:
    document: dict[str, Any] = {"@odata.mediaContentType": row.content_type}
    for name in select:
        document[name] = _SHOWN[name](row) if name in _SHOWN else shape and orjson.Fragment(shape)
    if shape is not None and "Footprint" in select:
        document["Footprint"] = orjson.Fragment(f"{shape[:-1]},{_REFERENCE}}}")
    if "Attributes" in expand:
        document["Attributes"] = [attribute_document(name, value) for name, value in attributes]
    if "Quicklooks" in expand:
        document["Quicklooks"] = quicklook_documents(row.quicklook)
    return document


def attribute_document(name: str, value: AttributeValue) -> dict[str, Any]:
    """Return an attribute with its type."""
    odata_type, value_type = _ATTRIBUTES[type(value)]
    return {
        "@odata.type": odata_type,
        "Name": name,
        "ValueType": value_type,
        "Value": format_utc(value) if isinstance(value, datetime) else value,
    }


def quicklook_documents(location: str | None) -> list[dict[str, Any]]:
    """Return the quick-look of a product, or none; its image is at `Quicklooks('<Image>')/$value`."""
    return [] if location is None else [{"Image": file_name(location)}]


def file_name(location: str) -> str:
    """Return the last part of the path of a URI."""
    return PurePosixPath(unquote(urlsplit(location).path)).name


def _time(value: datetime | None) -> str | None:
    return None if value is None else format_utc(value)


def _geojson(rows: Sequence[Row[Any]]) -> list[str | None]:
    """Return the footprints as GeoJSON; None for a product without one."""
    return list(shapely.to_geojson(shapely.from_wkb([row.footprint for row in rows])))


_REFERENCE = '"crs":{"type":"name","properties":{"name":"EPSG:4326"}}'
_ATTRIBUTES = {kind: (f"#OData.CSC.{of.name}", of.value_type) for kind, of in ATTRIBUTE_TYPES.items()}
_SHOWN: dict[str, Callable[[Row[Any]], Any]] = {
    "Id": lambda row: str(row.id),
    "Name": lambda row: row.name,
    "ContentType": lambda row: row.content_type,
    "ContentLength": lambda row: row.content_length,
    "OriginDate": lambda row: _time(row.origin_date),
    "PublicationDate": lambda row: _time(row.published_at),
    "EvictionDate": lambda row: _time(row.eviction_date),
    "Online": lambda row: True,
    "ProductionType": lambda row: row.production_type,
    "Checksum": lambda row: row.checksums,
    "ContentDate": lambda row: {"Start": _time(row.content_start), "End": _time(row.content_end)},
}
