"""Metadata document of Level-0 datastrips (as ingested and consolidated): written and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.pdi import (
    add_datastrip_info,
    add_footprint,
    add_specific_parameters,
    new_document,
    read_parameters,
)
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.gipp import file_version
from s2ps.formats.pdi_metadata import MetadataDocument, Node, PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.errors import InputError
from s2ps.model.names import DatatakeName, PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def start_document(
    name: PdiName,
    info: DatastripInfo,
    ancillary: Ancillary,
    granules: Mapping[int, Iterable[tuple[str, int]]],
    ctx: JobContext,
) -> MetadataDocument:
    """Begin the document: General_Info and Image_Data_Info; `granules` gives (id, first 10 m line) per detector."""
    document = new_document(name)
    general = document.section("General_Info")
    add_datastrip_info(general, info, ancillary, ctx)
    add_specific_parameters(general, info)
    general.add("DATASTRIP_ID", str(name))
    image = document.section("Image_Data_Info")
    detectors = image.child("Granules_Information").child("Detector_List")
    for detector, listed in sorted(granules.items()):
        node = detectors.child("Detector", detectorId=f"{detector:02d}").child("Granule_List")
        for granule, position in listed:
            node.child("Granule", granuleId=granule).add("POSITION", position)
    stamp = image.child("Sensor_Configuration").child("Time_Stamp")
    stamp.add("LINE_PERIOD", repr(info.line_period_ms), unit="ms").add("NUMBER_OF_SCENES", info.granules)
    return document


def add_ancillary(document: MetadataDocument, ancillary: Ancillary) -> None:
    """Append Satellite_Ancillary_Data_Info: orbit (m, m/s, Earth-fixed) and attitude (inertial to body), lossless."""
    section = document.section("Satellite_Ancillary_Data_Info")
    points = section.child("Ephemeris").child("GPS_Points_List")
    samples = zip(ancillary.orbit_time, ancillary.position, ancillary.velocity, strict=True)
    for time, position, velocity in samples:
        point = points.child("GPS_Point")
        point.add("POSITION_VALUES", _words(position), unit="m").add("VELOCITY_VALUES", _words(velocity), unit="m/s")
        point.add("GPS_TIME", repr(float(time)), unit="s")
    attitudes = section.child("Attitudes").child("Corrected_Attitudes")
    for time, quaternion in zip(ancillary.attitude_time, ancillary.quaternion, strict=True):
        values = attitudes.child("Values")
        values.add("QUATERNION_VALUES", _words(quaternion)).add("GPS_TIME", repr(float(time)), unit="s")


def add_quality(document: MetadataDocument, cloud: float | None, degraded: float) -> Node:
    """Append Quality_Indicators_Info with cloud cover and degraded data, both in percent; return the section."""
    section = document.section("Quality_Indicators_Info")
    image = section.child("Image_Content_QI")
    if cloud is not None:
        image.add("CLOUDY_PIXEL_PERCENTAGE", f"{cloud:.6f}")
    image.add("DEGRADED_MSI_DATA_PERCENTAGE", f"{degraded:.6f}")
    return section


def add_ground_footprint(document: MetadataDocument, ring: Sequence[tuple[float, float]]) -> None:
    """Append Geometric_Info with the footprint of the datastrip, a closed ring of (lon, lat)."""
    add_footprint(document.section("Geometric_Info").child("Datastrip_Footprint"), ring)


def add_auxiliary(document: MetadataDocument, gipps: Iterable[Path], iers: str | None) -> None:
    """Append Auxiliary_Data_Info: the parameter files used and the IERS bulletin."""
    section = document.section("Auxiliary_Data_Info")
    listed = section.child("GIPP_List")
    for path in gipps:
        found = PdiName.parse(path.name)
        listed.add("GIPP_FILENAME", path.name, type=found.file_type, version=file_version(path))
    if iers is not None:
        section.add("IERS_BULLETIN_FILENAME", iers)


def read_datastrip_item(item: Path) -> tuple[DatastripInfo, PdiMetadata]:
    """Read a Level-0 datastrip item; raises InvalidInput when its metadata lack something."""
    metadata = read_pdi_metadata(metadata_file(item))
    try:
        return datastrip_info(metadata, item.name), metadata
    except (InputError, ValueError, KeyError) as error:
        raise InvalidInput(f"datastrip {item.name}: its metadata are not complete: {error}") from error


def datastrip_info(metadata: PdiMetadata, name: str) -> DatastripInfo:
    """Return what the metadata of a Level-0 datastrip say; raises InputError, ValueError or KeyError."""
    parameters = read_parameters(metadata)
    datatake = metadata.datatake_id or ""
    cloud = metadata.first("CLOUDY_PIXEL_PERCENTAGE")
    return DatastripInfo(
        unit=DatatakeName.parse(datatake).unit,
        datatake_id=datatake,
        datatake_type=metadata.text("DATATAKE_TYPE"),
        datastrip_id=name,
        start=metadata.time("DATASTRIP_SENSING_START"),
        stop=metadata.time("DATASTRIP_SENSING_STOP"),
        absolute_orbit=DatatakeName.parse(datatake).absolute_orbit,
        relative_orbit=int(parameters["RELATIVE_ORBIT"]),
        line_period_ms=float(metadata.text("LINE_PERIOD")),
        lines_per_granule=int(parameters["LINES_PER_GRANULE"]),
        granules=int(metadata.text("NUMBER_OF_SCENES")),
        scale=int(parameters["SCALE"]),
        reception_station=metadata.text("RECEPTION_STATION"),
        cloud_cover=float(cloud) if cloud else None,
    )


def read_ancillary(metadata: PdiMetadata) -> Ancillary:
    """Read back what `add_ancillary` wrote; raises InvalidInput when there is none."""
    points = [(node, "POSITION_VALUES", "VELOCITY_VALUES") for node in metadata.root.iter("GPS_Point")]
    values = list(metadata.root.iter("Values"))
    try:
        position = np.array([_numbers(node.findtext(first)) for node, first, _ in points])
        velocity = np.array([_numbers(node.findtext(second)) for node, _, second in points])
        orbit_time = np.array([float(node.findtext("GPS_TIME") or "") for node, _, _ in points])
        quaternion = np.array([_numbers(node.findtext("QUATERNION_VALUES")) for node in values])
        attitude_time = np.array([float(node.findtext("GPS_TIME") or "") for node in values])
    except ValueError as error:
        raise InvalidInput(f"metadata {metadata.source}: ancillary data cannot be read: {error}") from error
    if len(orbit_time) < 2 or len(attitude_time) < 2:
        raise InvalidInput(f"metadata {metadata.source}: fewer than two orbit points or attitudes: make L0 again")
    return Ancillary(orbit_time, position, velocity, attitude_time, quaternion)


def _words(values: Iterable[float]) -> str:
    return " ".join(repr(float(value)) for value in values)


def _numbers(text: str | None) -> list[float]:
    return [float(word) for word in (text or "").split()]
