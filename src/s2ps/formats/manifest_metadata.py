"""The metadataSection of a manifest: period, orbit, platform, processing and footprint.

Source: SAFE (CCSDS 661.0-B-1), as the manifests of Sentinel-2 products use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from s2ps.formats.pdi_metadata import PdiMetadata
from s2ps.model.names import DatatakeName, PdiName
from s2ps.model.timestamps import format_utc

GML = "http://www.opengis.net/gml"
WGS84 = "http://www.opengis.net/gml/srs/epsg.xml#4326"
_NSSDC = {"S2A": "2015-028A", "S2B": "2017-013A", "S2C": "2024-157A"}


@dataclass(frozen=True, slots=True)
class Description:
    """What a manifest tells of an item or product; what is not known is left out."""

    unit: str
    processing: str
    creation: datetime
    site: str
    baseline: str | None = None
    start: datetime | None = None
    stop: datetime | None = None
    absolute_orbit: int | None = None
    relative_orbit: int | None = None
    direction: str | None = None
    footprint: Sequence[tuple[float, float]] = ()
    """Ring of longitude, latitude."""


def describe_item(name: PdiName, metadata: PdiMetadata | None, processing: str) -> Description:
    """Return what the name and the metadata of an item tell; raises InputError for metadata with a wrong time."""
    if metadata is None:
        return Description(
            name.unit, processing, name.creation, name.site, name.baseline, absolute_orbit=name.absolute_orbit
        )
    is_strip = bool(metadata.first("DATASTRIP_SENSING_START"))
    start = "DATASTRIP_SENSING_START" if is_strip else "SENSING_TIME"
    words = dict(re.findall(r"(\w+)=(\S+)", metadata.first("PROCESSING_SPECIFIC_PARAMETERS") or ""))
    datatake = metadata.datatake_id or words.get("DATATAKE")
    relative = metadata.first("SENSING_ORBIT_NUMBER") or words.get("RELATIVE_ORBIT")
    return Description(
        name.unit, processing, name.creation, name.site, name.baseline,
        start=metadata.time(start) if metadata.first(start) else None,
        stop=metadata.time("DATASTRIP_SENSING_STOP") if is_strip else None,
        absolute_orbit=DatatakeName.parse(datatake).absolute_orbit if datatake else name.absolute_orbit,
        relative_orbit=int(relative) if relative else None,
        direction=metadata.first("SENSING_ORBIT_DIRECTION"),
        footprint=metadata.footprint(),
    )  # fmt: skip


def write_description(section: etree._Element, safe: str, told: Description) -> None:
    """Append the five objects every manifest has; one of which nothing is known stays empty."""
    _period(_object(section, "acquisitionPeriod"), safe, told)
    _orbit(_object(section, "measurementOrbitReference"), safe, told)
    _platform(_object(section, "platform"), safe, told)
    _processing(_object(section, "processing", category="PDI", classification="PROVENANCE"), safe, told)
    _frame_set(_object(section, "measurementFrameSet"), safe, told)


def point_at(section: etree._Element, identifier: str, data_id: str) -> None:
    """Append an object that names a listed file as a description of the whole."""
    etree.SubElement(_object(section, identifier), "dataObjectPointer", dataObjectID=data_id)


def _object(
    section: etree._Element, identifier: str, *, category: str = "DMD", classification: str = "DESCRIPTION"
) -> etree._Element:
    return etree.SubElement(section, "metadataObject", ID=identifier, category=category, classification=classification)


def _wrapped(item: etree._Element, text: str, safe: str, tag: str, **attributes: str) -> etree._Element:
    wrap = etree.SubElement(item, "metadataWrap", mimeType="text/xml", textInfo=text, vocabularyName="Sentinel-SAFE")
    return etree.SubElement(etree.SubElement(wrap, "xmlData"), f"{{{safe}}}{tag}", attributes)


def _leaf(parent: etree._Element, safe: str, tag: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, f"{{{safe}}}{tag}", attributes).text = text


def _period(item: etree._Element, safe: str, told: Description) -> None:
    if told.start is None:
        return
    period = _wrapped(item, "Acquisition Period", safe, "acquisitionPeriod")
    _leaf(period, safe, "startTime", format_utc(told.start))
    if told.stop is not None:
        _leaf(period, safe, "stopTime", format_utc(told.stop))


def _orbit(item: etree._Element, safe: str, told: Description) -> None:
    if told.absolute_orbit is None:
        return
    orbit = _wrapped(item, "Orbit Reference", safe, "orbitReference")
    direction = {"groundTrackDirection": told.direction.lower()} if told.direction else {}
    _leaf(orbit, safe, "orbitNumber", f"{told.absolute_orbit:06d}", **direction, type="start")
    if told.relative_orbit is not None:
        _leaf(orbit, safe, "relativeOrbitNumber", f"{told.relative_orbit:03d}", type="start")


def _platform(item: etree._Element, safe: str, told: Description) -> None:
    platform = _wrapped(item, "Platform Description", safe, "platform")
    if told.unit in _NSSDC:
        _leaf(platform, safe, "nssdcIdentifier", _NSSDC[told.unit])
    _leaf(platform, safe, "familyName", "SENTINEL")
    _leaf(platform, safe, "number", told.unit[1:])
    instrument = etree.SubElement(platform, f"{{{safe}}}instrument")
    _leaf(instrument, safe, "familyName", "Multi-Spectral Instrument", abbreviation="MSI")


def _processing(item: etree._Element, safe: str, told: Description) -> None:
    created = format_utc(told.creation)
    processing = _wrapped(item, "Processing", safe, "processing", name=told.processing, start=created)
    software = {"software": f"baseline {told.baseline}"} if told.baseline else {}
    etree.SubElement(processing, f"{{{safe}}}facility", {"name": told.site, **software})


def _frame_set(item: etree._Element, safe: str, told: Description) -> None:
    if not told.footprint:
        return
    frames = _wrapped(item, "Frame Set", safe, "frameSet")
    footprint = etree.SubElement(frames, f"{{{safe}}}footPrint", srsName=WGS84)
    coordinates = etree.SubElement(footprint, f"{{{GML}}}coordinates")
    coordinates.text = " ".join(f"{lat:.9f} {lon:.9f}" for lon, lat in told.footprint)
