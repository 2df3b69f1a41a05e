"""The datastrip item of L1A and L1B with its metadata."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference import pdi
from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1a.radio_finalize import read_quality
from ipf_adapters.science import working
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.sun import earth_sun_correction
from s2ps.formats.gipp import AbsoluteCalibration, file_version, read_gipp
from s2ps.formats.pdi_metadata import Node
from s2ps.model.bands import BANDS
from s2ps.model.mission import DETECTORS
from s2ps.model.timestamps import from_gps_seconds

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def write_datastrip_pdi(ctx: JobContext, level: str, parent: Path, reference_images: Sequence[str] = ()) -> Path:
    """Write the datastrip item of "L1A" or "L1B" into a folder and return its own folder.

    Outlines (GML) that lie in the folder become part of the item.
    """
    source = ctx.input_dir("PDI_DS")
    info = working.read_datastrip(source)
    ancillary = working.read_ancillary(source)
    item = pdi.new_pdi(parent, datastrip.datastrip_name(info, level, ctx))
    document = pdi.new_document(item.name)
    general = document.section("General_Info")
    general.add("DATASTRIP_ID", str(item.name))
    pdi.add_datastrip_info(general, info, ancillary, ctx)
    _image_data(document.section("Image_Data_Info"), ctx, level, info, working.read_datation(source))
    _ancillary(document.section("Satellite_Ancillary_Data_Info"), ancillary)
    _quality(document.section("Quality_Indicators_Info"), source, info, working.read_refining(source))
    _auxiliary(document.section("Auxiliary_Data_Info"), ctx, reference_images)
    item.write_metadata(document)
    for name in ("GlobalFootprintAI.gml", "GlobalFootprint.gml"):
        if (parent / name).is_file():
            item.take(parent / name, f"QI_DATA/{name}")
    return item.finish()


def granule_ids(
    ctx: JobContext, level: str, info: working.DatastripInfo, datation: working.Datation, detector: int
) -> list[str]:
    """Return the names of the granule items of a detector in order of their scenes."""
    periods = [datastrip.granule_period(info, datation, detector, scene) for scene in range(1, info.granules + 1)]
    return [str(datastrip.granule_name(info, level, ctx, detector, start)) for start, _ in periods]


def _image_data(
    node: Node, ctx: JobContext, level: str, info: working.DatastripInfo, datation: working.Datation
) -> None:
    detectors = node.child("Granules_Information").child("Detector_List")
    for detector in DETECTORS:
        granules = detectors.child("Detector", detectorId=f"{detector:02d}").child("Granule_List")
        for index, name in enumerate(granule_ids(ctx, level, info, datation, detector)):
            granules.child("Granule", granuleId=name).add("POSITION", index * info.lines_per_granule + 1)
    sensor = node.child("Sensor_Configuration").child("Time_Stamp")
    sensor.add("LINE_PERIOD", info.line_period_ms, unit="ms")
    calibration = read_gipp(ctx.input_file("GIP_R2ABCA"), AbsoluteCalibration)
    radiometry = node.child("Radiometric_Info")
    conversion = radiometry.child("Reflectance_Conversion")
    conversion.add("U", earth_sun_correction(info.start + (info.stop - info.start) / 2))
    irradiances = conversion.child("Solar_Irradiance_List")
    for band in BANDS:
        value = float(calibration.solar_irradiance[band.index])
        irradiances.add("SOLAR_IRRADIANCE", value, bandId=band.index, unit="W/m²/µm")
        radiometry.add("PHYSICAL_GAINS", float(calibration.physical_gain[band.index]), bandId=band.index)


def _ancillary(node: Node, samples: Ancillary) -> None:
    points = node.child("Ephemeris").child("GPS_Points_List")
    for time, position, velocity in zip(samples.orbit_time, samples.position, samples.velocity, strict=True):
        point = points.child("GPS_Point")
        point.add("POSITION_VALUES", " ".join(f"{value:.3f}" for value in position), unit="m")
        point.add("VELOCITY_VALUES", " ".join(f"{value:.6f}" for value in velocity), unit="m/s")
        point.add("GPS_TIME", from_gps_seconds(float(time)))
    attitudes = node.child("Attitudes").child("Corrected_Attitudes")
    for time, quaternion in zip(samples.attitude_time, samples.quaternion, strict=True):
        values = attitudes.child("Values")
        values.add("QUATERNION_VALUES", " ".join(f"{value:.12f}" for value in quaternion))
        values.add("GPS_TIME", from_gps_seconds(float(time)))


def _quality(node: Node, source: Path, info: working.DatastripInfo, refining: working.Refining | None) -> None:
    geometric = node.child("Geometric_Info")
    quality = geometric.child("Geometric_Refining_Quality", flag="REFINED" if refining else "NOT_REFINED")
    if refining:
        quality.add("CORRELATION_POINTS", refining.points)
        quality.add("RMS_BEFORE", refining.rms_before, unit="m").add("RMS_AFTER", refining.rms_after, unit="m")
        for axis in ("roll", "pitch", "yaw"):
            quality.add(f"{axis.upper()}_CORRECTION", float(getattr(refining, axis)), unit="rad")
    radiometric = node.child("Radiometric_Info").child("Radiometric_Quality_List")
    for detector in DETECTORS:
        for band in BANDS:
            shares = read_quality(source, detector, band)
            if shares:
                entry = radiometric.child("Radiometric_Quality", detectorId=f"{detector:02d}", bandId=band.index)
                for name, share in shares.items():
                    entry.add(f"{name.upper()}_PIXEL_PERCENTAGE", share)
    if info.cloud_cover is not None:
        node.add("CLOUDY_PIXEL_PERCENTAGE", info.cloud_cover)


def _auxiliary(node: Node, ctx: JobContext, reference_images: Sequence[str]) -> None:
    node.child("IERS_Bulletin").add("IERS_BULLETIN_FILENAME", ctx.input_file("IERS").name)
    gipps = node.child("GIPP_List")
    for item in ctx.order.inputs:
        if item.type.startswith("GIP_"):
            for path in ctx.input_files(item.type):
                gipps.add("GIPP_FILENAME", path.name.split(".")[0], type=item.type, version=file_version(path))
    node.add("PRODUCTION_DEM_TYPE", ctx.input_dir("DEM_SRTM").name)
    images = node.child("GRI_List")
    for name in reference_images:
        images.add("GRI_FILENAME", name)
