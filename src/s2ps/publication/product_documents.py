"""Documents around a user product: the INSPIRE record and a page for people."""

from __future__ import annotations

from html import escape
from pathlib import Path

from lxml import etree

from s2ps.model.names import DatatakeName, PdiName
from s2ps.model.timestamps import format_utc
from s2ps.publication.product_metadata import ProductParts

_GMD = "http://www.isotc211.org/2005/gmd"
_GCO = "http://www.isotc211.org/2005/gco"


def write_inspire(folder: Path, parts: ProductParts) -> Path:
    """Write INSPIRE.xml: identifier, date, title and geographic extent (ISO 19139)."""
    root = etree.Element(f"{{{_GMD}}}MD_Metadata", nsmap={"gmd": _GMD, "gco": _GCO})
    _text(root, "fileIdentifier", parts.name)
    _text(root, "dateStamp", format_utc(PdiName.parse(parts.tile_id).creation), kind="DateTime")
    identification = _nested(root, "identificationInfo", "MD_DataIdentification")
    _text(_nested(identification, "citation", "CI_Citation"), "title", parts.name)
    ring = parts.tile.footprint()
    if ring:
        extent = _nested(identification, "extent", "EX_Extent")
        box = _nested(extent, "geographicElement", "EX_GeographicBoundingBox")
        longitudes, latitudes = [point[0] for point in ring], [point[1] for point in ring]
        for tag, value in (
            ("westBoundLongitude", min(longitudes)), ("eastBoundLongitude", max(longitudes)),
            ("southBoundLatitude", min(latitudes)), ("northBoundLatitude", max(latitudes)),
        ):  # fmt: skip
            _text(box, tag, f"{value:.9f}", kind="Decimal")
    etree.indent(root, "  ")
    path = folder / "INSPIRE.xml"
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
    return path


def _nested(parent: etree._Element, outer: str, inner: str) -> etree._Element:
    return etree.SubElement(etree.SubElement(parent, f"{{{_GMD}}}{outer}"), f"{{{_GMD}}}{inner}")


def _text(parent: etree._Element, tag: str, text: str, *, kind: str = "CharacterString") -> None:
    element = etree.SubElement(parent, f"{{{_GMD}}}{tag}")
    etree.SubElement(element, f"{{{_GCO}}}{kind}").text = text


def write_index(folder: Path, parts: ProductParts) -> Path:
    """Write HTML/UserProduct_index.html with the main facts."""
    datatake = DatatakeName.parse(parts.datatake_id)
    facts = {
        "Product": parts.name, "Level": parts.level.value, "Datatake": parts.datatake_id,
        "Sensing start": format_utc(datatake.start), "Tile": parts.tile_id,
        "Sensing time of the tile": parts.tile.first("SENSING_TIME") or "",
        "Cloudy pixels (%)": parts.tile.first("CLOUDY_PIXEL_PERCENTAGE") or "",
    }  # fmt: skip
    rows = "\n".join(f"<tr><th>{escape(key)}</th><td>{escape(value)}</td></tr>" for key, value in facts.items())
    path = folder / "HTML" / "UserProduct_index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{escape(parts.name)}</title></head>\n'
        f"<body>\n<h1>{escape(parts.name)}</h1>\n<table>\n{rows}\n</table>\n</body>\n</html>\n",
        encoding="utf-8",
    )
    return path
