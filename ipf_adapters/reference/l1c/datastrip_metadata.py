"""MTD_DS.xml of L1C datastrips. Source: Sentinel-2 Products Specification, Level-1C datastrip metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.spectral import add_spectral_information
from ipf_adapters.reference.l1c.xmltree import document, node, section
from ipf_adapters.reference.pdi import add_datastrip_info
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.sun import earth_sun_correction
from ipf_adapters.science.working import DatastripInfo, Refining
from s2ps.formats.gipp import AbsoluteCalibration, RadiometricParameters
from s2ps.formats.pdi_metadata import Node
from s2ps.model.bands import BANDS


@dataclass(frozen=True, slots=True)
class DatastripContent:
    """What the metadata of a datastrip tell beyond its description."""

    name: str
    ancillary: Ancillary
    tile_ids: Sequence[str]
    calibration: AbsoluteCalibration
    radiometry: RadiometricParameters
    gipps: Sequence[tuple[str, str, str]]
    """Type, name and version of each parameter file."""
    terrain: str
    """Name of the elevation model."""
    bulletin: str
    reference_images: Sequence[str]
    meteorology: Sequence[str]
    refining: Refining | None


def datastrip_document(ctx: JobContext, info: DatastripInfo, content: DatastripContent) -> etree._Element:
    """Return the root of MTD_DS.xml."""
    root = document("Level-1C_DataStrip_ID", "S2_PDI_Level-1C_Datastrip_Metadata.xsd")
    general = section(root, "General_Info")
    node(general, "DATASTRIP_ID", content.name, metadataLevel="Brief")
    add_datastrip_info(Node(general), info, content.ancillary, ctx)
    relative = general.find("Datatake_Info/SENSING_ORBIT_NUMBER")
    if relative is not None:
        relative.text = str(info.relative_orbit)
    image = section(root, "Image_Data_Info")
    tiles = node(node(image, "Tiles_Information"), "Tile_List", metadataLevel="Brief")
    for tile in content.tile_ids:
        node(tiles, "Tile", tileId=tile)
    _image_characteristics(node(image, "Product_Image_Characteristics"), info, content)
    _refining(section(root, "Quality_Indicators_Info"), info, content.refining)
    _auxiliary(section(root, "Auxiliary_Data_Info"), content)
    return root


def _image_characteristics(parent: etree._Element, info: DatastripInfo, content: DatastripContent) -> None:
    radiometry, calibration = content.radiometry, content.calibration
    for text, value in (("NODATA", radiometry.nodata), ("SATURATED", radiometry.saturated)):
        special = node(parent, "Special_Values")
        node(special, "SPECIAL_VALUE_TEXT", text)
        node(special, "SPECIAL_VALUE_INDEX", value)
    order = node(parent, "Image_Display_Order")
    for tag, index in (("RED_CHANNEL", 3), ("GREEN_CHANNEL", 2), ("BLUE_CHANNEL", 1)):
        node(order, tag, index)
    node(parent, "QUANTIFICATION_VALUE", radiometry.quantification, unit="none")
    offsets = node(parent, "Radiometric_Offset_List")
    for band in BANDS:
        node(offsets, "RADIO_ADD_OFFSET", radiometry.add_offset, band_id=str(band.index))
    conversion = node(parent, "Reflectance_Conversion")
    middle = info.start + (info.stop - info.start) / 2
    node(conversion, "U", f"{earth_sun_correction(middle):.15g}")
    irradiances = node(conversion, "Solar_Irradiance_List")
    for band in BANDS:
        irradiance = f"{calibration.solar_irradiance[band.index]:.6g}"
        node(irradiances, "SOLAR_IRRADIANCE", irradiance, bandId=str(band.index), unit="W/m²/µm")
    add_spectral_information(parent)
    for band in BANDS:
        node(parent, "PHYSICAL_GAINS", f"{calibration.physical_gain[band.index]:.9g}", bandId=str(band.index))
    node(parent, "REFERENCE_BAND", 3)


def _refining(parent: etree._Element, info: DatastripInfo, refining: Refining | None) -> None:
    quality = node(parent, "Geometric_Info")
    flag = "REFINED" if refining is not None else "NOT_REFINED"
    characteristics = node(quality, "Image_Refining", flag=flag)
    if refining is not None:
        node(characteristics, "CORRELATION_POINTS", refining.points)
        node(characteristics, "RMS_BEFORE", f"{refining.rms_before:.3f}", unit="m")
        node(characteristics, "RMS_AFTER", f"{refining.rms_after:.3f}", unit="m")
    if info.cloud_cover is not None:
        node(parent, "Cloud_Coverage_Assessment", f"{info.cloud_cover:.6f}")


def _auxiliary(parent: etree._Element, content: DatastripContent) -> None:
    gipps = node(parent, "GIPP_List")
    for file_type, name, version in content.gipps:
        node(gipps, "GIPP_FILENAME", name, type=file_type, version=version)
    node(parent, "PRODUCTION_DEM_TYPE", content.terrain)
    node(parent, "IERS_BULLETIN_FILENAME", content.bulletin)
    images = node(parent, "GRI_List")
    for name in content.reference_images:
        node(images, "GRI_FILENAME", name)
    for name in content.meteorology:
        node(parent, "CAMS_DATA_REF" if "CAMSFO" in name else "ECMWF_DATA_REF", name)
