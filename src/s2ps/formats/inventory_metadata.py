"""Inventory_Metadata.xml: the short record of an item by which an archive files it.

Source: Sentinel-2 Products Specification, Inventory_Metadata.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError
from s2ps.model.timestamps import format_utc, parse_utc

FILE_NAME = "Inventory_Metadata.xml"
NAMESPACE = "https://psd-12.sentinel2.eo.esa.int/PSD/Inventory_Metadata.xsd"


@dataclass(frozen=True, slots=True)
class InventoryMetadata:
    """Say what an item is, when and where it was sensed, and how good it is.

    `footprint` is a closed ring of (lon, lat) in degrees; empty parts (parent, detector) are left out of the file.
    """

    file_id: str
    parent_id: str
    group_id: str
    file_version: str
    system: str
    source: str
    source_version: str
    generation_time: datetime
    validity_start: datetime
    validity_stop: datetime
    orbit: int
    footprint: tuple[tuple[float, float], ...]
    quality: float
    data_size: int
    file_type: str
    detector: str
    acquisition_station: str
    processing_station: str
    satellite: str
    cloud_percentage: float
    ascending: bool = False


def write_inventory_metadata(record: InventoryMetadata) -> bytes:
    """Serialise a record in the order of elements of the specification."""
    root = etree.fromstring(f'<Inventory_Metadata xmlns="{NAMESPACE}"/>')
    for tag, text in _head(record):
        _leaf(root, tag, text)
    if record.footprint:
        place = etree.SubElement(root, f"{{{NAMESPACE}}}Geographic_Localization")
        _leaf(place, "GEO_TYPE", "Polygon")
        points = etree.SubElement(place, f"{{{NAMESPACE}}}List_Of_Geo_Pnt", count=str(len(record.footprint)))
        for longitude, latitude in record.footprint:
            point = etree.SubElement(points, f"{{{NAMESPACE}}}Geo_Pnt")
            _leaf(point, "LATITUDE", f"{latitude:.9f}")
            _leaf(point, "LONGITUDE", f"{longitude:.9f}")
    for tag, text in _tail(record):
        _leaf(root, tag, text)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _head(record: InventoryMetadata) -> list[tuple[str, str]]:
    parent = [("Parent_ID", record.parent_id)] if record.parent_id else []
    return [
        ("File_ID", record.file_id),
        *parent,
        ("Group_ID", record.group_id),
        ("File_Name", record.file_id),
        ("File_Version", record.file_version),
        ("System", record.system),
        ("Source", record.source),
        ("Source_Sw_Version", record.source_version),
        ("Generation_Time", _time(record.generation_time)),
        ("Validity_Start", _time(record.validity_start)),
        ("Validity_Stop", _time(record.validity_stop)),
        ("Start_Orbit_Number", f"{record.orbit:06d}"),
        ("Stop_Orbit_Number", f"{record.orbit:06d}"),
    ]


def _tail(record: InventoryMetadata) -> list[tuple[str, str]]:
    detector = [("Detector", record.detector)] if record.detector else []
    return [
        ("Quality_Info", f"{record.quality:.1f}"),
        ("Data_Size", str(record.data_size)),
        ("File_Type", record.file_type),
        *detector,
        ("File_Class", "NOM"),
        ("Sensor_Code", "MSI"),
        ("Sensor_Mode", "NOM"),
        ("Acquisition_Station", record.acquisition_station),
        ("Processing_Station", record.processing_station),
        ("Satellite_Code", record.satellite),
        ("Ascending_Flag", "true" if record.ascending else "false"),
        ("CloudPercentage", f"{record.cloud_percentage:.6g}"),
    ]


def _time(moment: datetime) -> str:
    return f"UTC={format_utc(moment).removesuffix('Z')}"


def _leaf(parent: etree._Element, tag: str, text: str) -> None:
    etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}").text = text


def read_inventory_metadata(path: Path) -> InventoryMetadata:
    """Read a record; raises InputError naming the file and what is wrong in it."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
        return _record(root)
    except OSError as error:
        raise InputError(f"inventory metadata {path} cannot be read: {error.strerror}") from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise InputError(f"inventory metadata {path} cannot be read: {error}") from error


def _record(root: etree._Element) -> InventoryMetadata:
    def get(tag: str, default: str = "") -> str:
        return (root.findtext(f".//{{*}}{tag}") or default).strip()

    points = root.findall(".//{*}Geo_Pnt")
    ring = tuple((float(p.findtext("{*}LONGITUDE") or ""), float(p.findtext("{*}LATITUDE") or "")) for p in points)
    return InventoryMetadata(
        file_id=get("File_ID"),
        parent_id=get("Parent_ID"),
        group_id=get("Group_ID"),
        file_version=get("File_Version"),
        system=get("System"),
        source=get("Source"),
        source_version=get("Source_Sw_Version"),
        generation_time=parse_utc(get("Generation_Time")),
        validity_start=parse_utc(get("Validity_Start")),
        validity_stop=parse_utc(get("Validity_Stop")),
        orbit=int(get("Start_Orbit_Number")),
        footprint=ring,
        quality=float(get("Quality_Info", "0")),
        data_size=int(get("Data_Size", "0")),
        file_type=get("File_Type"),
        detector=get("Detector"),
        acquisition_station=get("Acquisition_Station"),
        processing_station=get("Processing_Station"),
        satellite=get("Satellite_Code"),
        cloud_percentage=float(get("CloudPercentage", "0")),
        ascending=get("Ascending_Flag") == "true",
    )
