"""Attributes of products in the catalogue, by kind; what the metadata do not tell is left out, never guessed.

Source: attributes of Sentinel-2 products in the OData interfaces of the production services and of the archive.
"""

from __future__ import annotations

from collections.abc import Iterator

from s2ps.inventory.publications import Attribute, AttributeValue
from s2ps.publication.product_facts import Facts

NOMINAL, DEGRADED = "NOMINAL", "DEGRADED"
_ITEMS = ("DS", "GR", "TL", "TC", "USER")
_CLOUDS = ("GR", "TL", "USER")
_FULL_QUALITY = 100.0


def attributes_of(facts: Facts) -> tuple[Attribute, ...]:
    """Return the attributes of a product, by name."""
    found = dict([*_common(facts), *_orbits(facts), *_quality(facts), *_image(facts)])
    return tuple(Attribute(name, found[name]) for name in sorted(found))


def _common(facts: Facts) -> Iterator[tuple[str, AttributeValue]]:
    yield "beginningDateTime", facts.start
    yield "endingDateTime", facts.stop
    yield "productType", facts.type
    yield "platformShortName", "SENTINEL-2"
    yield "platformSerialIdentifier", facts.unit[2]
    yield "productGroupId", facts.origin.datatake
    if facts.kind != "HKTM":
        yield "processingCenter", facts.centre
        yield "processingDate", facts.created
    if facts.inventory is not None:
        yield "processorVersion", facts.inventory.source_version
    if facts.kind in _ITEMS:
        yield "instrumentShortName", "MSI"
        yield "operationalMode", facts.origin.type


def _orbits(facts: Facts) -> Iterator[tuple[str, AttributeValue]]:
    yield "orbitNumber", facts.origin.absolute_orbit
    yield "relativeOrbitNumber", facts.origin.relative_orbit
    if facts.kind == "HKTM":
        yield "lastOrbitNumber", facts.origin.last_orbit or facts.origin.absolute_orbit


def _quality(facts: Facts) -> Iterator[tuple[str, AttributeValue]]:
    if facts.inventory is None:
        return
    quality = facts.inventory.quality
    yield "qualityInfo", quality
    yield "qualityStatus", DEGRADED if facts.origin.degraded or quality < _FULL_QUALITY else NOMINAL


def _image(facts: Facts) -> Iterator[tuple[str, AttributeValue]]:
    if facts.ring:
        yield "coordinates", " ".join(f"{latitude:.6f},{longitude:.6f}" for longitude, latitude in facts.ring)
    if facts.tile is not None:
        yield "tileId", facts.tile
    if facts.item is None or facts.inventory is None:
        return
    if facts.kind in _CLOUDS:
        assessed = facts.product.first("Cloud_Coverage_Assessment") if facts.product else None
        yield "cloudCover", float(assessed) if assessed else facts.inventory.cloud_percentage
        yield "datastripId", facts.item.text("DATASTRIP_ID")
    sun = facts.item.root.findtext(".//{*}Mean_Sun_Angle/ZENITH_ANGLE")
    if sun:
        yield "illuminationZenithAngle", float(sun)
