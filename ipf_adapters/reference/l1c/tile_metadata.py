"""MTD_TL.xml of Level-1C tiles. Source: Sentinel-2 Products Specification, Level-1C tile metadata."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from lxml import etree

from ipf_adapters.reference.l1c.angles import AngleGrid, angle_step
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.reference.l1c.xmltree import document, node, section
from s2ps.model.bands import Band
from s2ps.model.timestamps import format_utc

RESOLUTIONS = (10, 20, 60)


@dataclass(frozen=True, slots=True)
class TileGeometry:
    """Angles and time of a tile, as TILE_FINALIZE puts them together."""

    sensing_time: datetime
    sun: AngleGrid
    mean_sun: tuple[float, float]
    views: dict[tuple[Band, int], AngleGrid]
    mean_views: dict[Band, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class TileQuality:
    """Percentages for the metadata of a tile."""

    cloudy: float
    cirrus: float
    snow: float
    no_data: float
    degraded: float


@dataclass(frozen=True, slots=True)
class TileIdentity:
    """Names that the metadata of a tile refer to."""

    tile_id: str
    datastrip_id: str
    centre: str
    archiving_time: datetime


def tile_document(
    identity: TileIdentity, sheet: TileSheet, geometry: TileGeometry, quality: TileQuality, granule: str
) -> etree._Element:
    """Return the root of MTD_TL.xml; `granule` is the folder of the tile in the user product."""
    root = document("Level-1C_Tile_ID", "S2_PDI_Level-1C_Tile_Metadata.xsd")
    _general(root, identity, geometry.sensing_time)
    info = section(root, "Geometric_Info")
    add_geocoding(info, sheet)
    _angles(info, sheet, geometry)
    _quality(root, sheet, quality, granule)
    return root


def _general(root: etree._Element, identity: TileIdentity, sensing_time: datetime) -> None:
    general = section(root, "General_Info")
    node(general, "TILE_ID", identity.tile_id, metadataLevel="Brief")
    node(general, "DATASTRIP_ID", identity.datastrip_id, metadataLevel="Standard")
    node(general, "DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard")
    node(general, "SENSING_TIME", format_utc(sensing_time), metadataLevel="Standard")
    archiving = node(general, "Archiving_Info", metadataLevel="Expertise")
    node(archiving, "ARCHIVING_CENTRE", identity.centre)
    node(archiving, "ARCHIVING_TIME", format_utc(identity.archiving_time))


def add_geocoding(info: etree._Element, sheet: TileSheet) -> None:
    """Append Tile_Geocoding: projection, size and upper-left corner at 10, 20 and 60 m."""
    geocoding = node(info, "Tile_Geocoding", metadataLevel="Brief")
    hemisphere = "N" if sheet.epsg // 100 == 326 else "S"
    node(geocoding, "HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {sheet.epsg % 100}{hemisphere}")
    node(geocoding, "HORIZONTAL_CS_CODE", f"EPSG:{sheet.epsg}")
    for resolution in RESOLUTIONS:
        size = node(geocoding, "Size", resolution=str(resolution))
        node(size, "NROWS", sheet.size(resolution))
        node(size, "NCOLS", sheet.size(resolution))
    for resolution in RESOLUTIONS:
        position = node(geocoding, "Geoposition", resolution=str(resolution))
        for tag, value in (("ULX", sheet.ulx), ("ULY", sheet.uly), ("XDIM", resolution), ("YDIM", -resolution)):
            node(position, tag, value)


def _angles(info: etree._Element, sheet: TileSheet, geometry: TileGeometry) -> None:
    angles = node(info, "Tile_Angles", metadataLevel="Standard")
    step = angle_step(sheet)
    _grid(node(angles, "Sun_Angles_Grid"), geometry.sun, step)
    _mean(node(angles, "Mean_Sun_Angle"), geometry.mean_sun)
    for (band, detector), grid in sorted(geometry.views.items(), key=lambda item: (item[0][0].index, item[0][1])):
        element = node(angles, "Viewing_Incidence_Angles_Grids", bandId=str(band.index), detectorId=str(detector))
        _grid(element, grid, step)
    means = node(angles, "Mean_Viewing_Incidence_Angle_List")
    for band, mean in sorted(geometry.mean_views.items(), key=lambda item: item[0].index):
        _mean(node(means, "Mean_Viewing_Incidence_Angle", bandId=str(band.index)), mean)


def _mean(element: etree._Element, angles: tuple[float, float]) -> None:
    node(element, "ZENITH_ANGLE", f"{angles[0]:.10g}", unit="deg")
    node(element, "AZIMUTH_ANGLE", f"{angles[1]:.10g}", unit="deg")


def _grid(parent: etree._Element, grid: AngleGrid, step: float) -> None:
    for tag, values in (("Zenith", grid.zenith), ("Azimuth", grid.azimuth)):
        element = node(parent, tag)
        node(element, "COL_STEP", f"{step:g}", unit="m")
        node(element, "ROW_STEP", f"{step:g}", unit="m")
        rows = node(element, "Values_List")
        for row in values:
            node(rows, "VALUES", " ".join("NaN" if np.isnan(value) else f"{value:.6g}" for value in row))


def _quality(root: etree._Element, sheet: TileSheet, quality: TileQuality, granule: str) -> None:
    info = section(root, "Quality_Indicators_Info", metadataLevel="Standard")
    content = node(info, "Image_Content_QI")
    node(content, "CLOUDY_PIXEL_PERCENTAGE", f"{quality.cloudy:.6f}")
    node(content, "DEGRADED_MSI_DATA_PERCENTAGE", f"{quality.degraded:.6f}")
    node(content, "NODATA_PIXEL_PERCENTAGE", f"{quality.no_data:.6f}")
    node(content, "CIRRUS_CLOUD_PERCENTAGE", f"{quality.cirrus:.6f}")
    node(content, "SNOW_PIXEL_PERCENTAGE", f"{quality.snow:.6f}")
    add_masks(info, granule)
    node(info, "PVI_FILENAME", f"GRANULE/{granule}/QI_DATA/{sheet.image_prefix}_PVI.jp2")


def add_masks(info: etree._Element, granule: str) -> etree._Element:
    """Append Pixel_Level_QI with the mask files of all bands, and return it."""
    masks = node(info, "Pixel_Level_QI", geometry="FULL_RESOLUTION")
    for band in Band:
        for kind in ("MSK_DETFOO", "MSK_QUALIT"):
            path = f"GRANULE/{granule}/QI_DATA/{kind}_{band.name}.jp2"
            node(masks, "MASK_FILENAME", path, bandId=str(band.index), type=kind)
    node(masks, "MASK_FILENAME", f"GRANULE/{granule}/QI_DATA/MSK_CLASSI_B00.jp2", type="MSK_CLASSI")
    return masks


def add_footprint(root: etree._Element, ring: list[list[float]]) -> None:
    """Append the outline of the data, a closed ring of (lon, lat), to Geometric_Info as latitudes and longitudes."""
    info = root.find("{*}Geometric_Info")
    if info is not None and ring:
        text = " ".join(f"{lat:.9f} {lon:.9f}" for lon, lat in ring)
        node(node(info, "Tile_Footprint"), "EXT_POS_LIST", text)
