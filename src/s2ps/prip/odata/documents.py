"""Products as JSON of OData v4."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import shapely
from sqlalchemy import Row

from s2ps.inventory.publications import Attribute
from s2ps.model.timestamps import format_utc
from s2ps.prip.odata.properties import ATTRIBUTE_TYPES


def product_document(
    row: Row[Any], select: Sequence[str], expand: Sequence[str], attributes: Sequence[Attribute]
) -> dict[str, Any]:
    """Return a product with the selected properties and the expanded navigation properties."""
    document: dict[str, Any] = {"@odata.mediaContentType": row.content_type}
    shape = _geojson(row) if "Footprint" in select or "GeoFootprint" in select else None
    for name in select:
        document[name] = _SHOWN[name](row) if name in _SHOWN else shape
    if shape is not None and "Footprint" in select:
        document["Footprint"] = shape | _REFERENCE
    if "Attributes" in expand:
        document["Attributes"] = [attribute_document(each) for each in attributes]
    if "Quicklooks" in expand:
        document["Quicklooks"] = quicklook_documents(row.quicklook)
    return document


def attribute_document(attribute: Attribute) -> dict[str, Any]:
    """Return an attribute with its type."""
    value = attribute.value
    of = ATTRIBUTE_TYPES[datetime if isinstance(value, datetime) else type(value)]
    return {
        "@odata.type": f"#OData.CSC.{of.name}",
        "Name": attribute.name,
        "ValueType": of.value_type,
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


def _geojson(row: Row[Any]) -> dict[str, Any] | None:
    return None if row.footprint is None else dict(shapely.geometry.mapping(row.footprint))


_REFERENCE = {"crs": {"type": "name", "properties": {"name": "EPSG:4326"}}}
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
