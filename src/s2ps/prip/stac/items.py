"""STAC items and collections as the API gives them: those that were published, with addresses of this service."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from sqlalchemy import Row

from s2ps.model.timestamps import format_utc
from s2ps.prip.odata.documents import file_name

GEOJSON = "application/geo+json"
JSON = "application/json"
VERSION = "1.1.0"
_LICENCE = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"


def item_document(row: Row[Any], stac: str, odata: str) -> dict[str, Any]:
    """Return the item of a product; its package and quick-look are at the addresses of the OData service."""
    document = dict(row.stac_item)
    document["properties"] = {**document.get("properties", {}), "published": format_utc(row.published_at)}
    document["assets"] = _assets(document.get("assets", {}), row, f"{odata}/Products({row.id})")
    collection = f"{stac}/collections/{quote(row.collection)}"
    document["links"] = [
        link("self", f"{collection}/items/{quote(row.item)}", GEOJSON),
        link("parent", collection),
        link("collection", collection),
        link("root", f"{stac}/"),
        link("alternate", f"{odata}/Products({row.id})"),
    ]
    return document


def collection_document(name: str, first: datetime, stac: str) -> dict[str, Any]:
    """Return a collection; its period is open, as production goes on."""
    title = name.removeprefix("sentinel-2-").upper().replace("-", " ")
    address = f"{stac}/collections/{quote(name)}"
    return {
        "type": "Collection",
        "stac_version": VERSION,
        "stac_extensions": [],
        "id": name,
        "title": f"Sentinel-2 {title}",
        "description": f"Sentinel-2 products: {title}",
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [[format_utc(first), None]]},
        },
        "links": [
            link("self", address),
            link("parent", f"{stac}/"),
            link("root", f"{stac}/"),
            link("items", f"{address}/items", GEOJSON),
            link("license", _LICENCE, "application/pdf"),
        ],
    }


def link(relation: str, address: str, media_type: str = JSON) -> dict[str, Any]:
    """Return a link."""
    return {"rel": relation, "href": address, "type": media_type}


def _assets(given: dict[str, Any], row: Row[Any], product: str) -> dict[str, Any]:
    """Return the assets that can be downloaded here, described as they were published."""
    locations = {row.location: f"{product}/$value"}
    if row.quicklook is not None:
        locations[row.quicklook] = f"{product}/Quicklooks('{quote(file_name(row.quicklook))}')/$value"
    offered = {name: asset for name, asset in given.items() if asset.get("href") in locations}
    found = {name: {**asset, "href": locations[asset["href"]]} for name, asset in offered.items()}
    here = {asset["href"] for asset in found.values()}
    if locations[row.location] not in here:
        found["product"] = {"href": locations[row.location], "type": row.content_type, "roles": ["data"]}
    if row.quicklook is not None and locations[row.quicklook] not in here:
        found["thumbnail"] = {"href": locations[row.quicklook], "type": "image/jpeg", "roles": ["thumbnail"]}
    return found
