"""The granule items of L1A and L1B: images first, then metadata and masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference import pdi
from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l1a import datastrip
from ipf_adapters.reference.l1a.granule_geometry import GranuleGeometry
from ipf_adapters.science import working
from s2ps.formats.pdi_metadata import Node
from s2ps.model.bands import BANDS, Band
from s2ps.model.names import PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


def write_image(parent: Path, name: PdiName, band: Band, image: NDArray[np.uint16]) -> None:
    """Write the JPEG 2000 image of a band (lossless, no georeference: the granule is in the instrument's geometry)."""
    item = pdi.new_pdi(parent, name)
    (item.folder("IMG_DATA") / item.file_name(f"_{band.name}.jp2")).write_bytes(encode(image))


def encode(image: NDArray[np.generic]) -> bytes:
    """Code an image as lossless JPEG 2000."""
    return bytes(imagecodecs.jpeg2k_encode(np.ascontiguousarray(image), level=0, reversible=True, codecformat="jp2"))


def finish_granule(
    ctx: JobContext, level: str, info: working.DatastripInfo, geometry: GranuleGeometry, images: Path
) -> Path:
    """Make the whole item of a granule from its images (an item folder with IMG_DATA) and return its folder.

    Raises MissingInput when a band has no image.
    """
    name = datastrip.granule_name(info, level, ctx, geometry.detector, geometry.start)
    item = pdi.new_pdi(ctx.output_dir("PDI_DS_GR_LIST"), name)
    for band in BANDS:
        file = item.file_name(f"_{band.name}.jp2")
        source = images / str(name) / "IMG_DATA" / file
        if not source.is_file():
            raise MissingInput(f"granule {name}: {source} is missing: run FORMAT_IMG_{level} again")
        datastrip.place(source, item.folder("IMG_DATA") / file)
    masks = _write_masks(ctx, item, info, geometry)
    document = pdi.new_document(name)
    _general(document.section("General_Info"), ctx, level, info, geometry, name)
    _geometric(document.section("Geometric_Info"), geometry)
    _quality(document.section("Quality_Indicators_Info"), geometry, masks)
    _image_data(document.section("Image_Data_Info"), item, info, level)
    item.write_metadata(document)
    return item.finish()


def _write_masks(
    ctx: JobContext, item: pdi.Pdi, info: working.DatastripInfo, geometry: GranuleGeometry
) -> dict[Band, tuple[str, float]]:
    """Write the quality mask of every band; return file names and percentages of pixels that any bit marks."""
    told = {}
    scene = range(geometry.scene, geometry.scene + 1)
    for band in BANDS:
        mask = working.read_scenes(ctx.input_dir("VECTOR"), geometry.detector, band, scene, info.lines(band), "quality")
        name = item.file_name(f"_MSK_QUALIT_{band.name}.jp2")
        (item.folder("QI_DATA") / name).write_bytes(encode(mask))
        told[band] = (name, 100.0 * float(np.mean((mask & ~np.uint8(working.DEFECTIVE)) != 0)))
    return told


def _general(
    node: Node, ctx: JobContext, level: str, info: working.DatastripInfo, geometry: GranuleGeometry, name: PdiName
) -> None:
    node.add("GRANULE_ID", str(name)).add("DETECTOR_ID", f"{geometry.detector:02d}")
    node.add("DATASTRIP_ID", str(datastrip.datastrip_name(info, level, ctx)))
    node.add("DOWNLINK_PRIORITY", "NOMINAL").add("SENSING_TIME", geometry.start)
    node.child("Processing_Info").add("PROCESSING_CENTER", ctx.centre).add("UTC_DATE_TIME", ctx.creation)
    archiving = node.child("Archiving_Info")
    archiving.add("ARCHIVING_CENTRE", ctx.centre).add("ARCHIVING_TIME", ctx.creation)
    pdi.add_specific_parameters(node, info)


def _geometric(node: Node, geometry: GranuleGeometry) -> None:
    outer = node.child("Granule_Footprint").child("Granule_Footprint")
    pdi.add_footprint(outer, geometry.footprint)
    place = node.child("Granule_Position").add("POSITION", geometry.position)
    header = place.child("Geometric_Header")
    if geometry.sun is not None:
        sun = header.child("Solar_Angles")
        sun.add("ZENITH_ANGLE", geometry.sun[0], unit="deg").add("AZIMUTH_ANGLE", geometry.sun[1], unit="deg")
    angles = header.child("Incidence_Angles_List")
    for band in BANDS:
        if band.name in geometry.view:
            zenith, azimuth = geometry.view[band.name]
            view = angles.child("Incidence_Angles", bandId=band.index)
            view.add("ZENITH_ANGLE", zenith, unit="deg").add("AZIMUTH_ANGLE", azimuth, unit="deg")


def _quality(node: Node, geometry: GranuleGeometry, masks: dict[Band, tuple[str, float]]) -> None:
    content = node.child("Image_Content_QI").child("Common_IMG_QI")
    content.add("CLOUDY_PIXEL_PERCENTAGE", geometry.cloud_cover if geometry.cloud_cover is not None else 0.0)
    content.add("DEGRADED_MSI_DATA_PERCENTAGE", max(share for _, share in masks.values()))
    files = node.child("Pixel_Level_QI", geometry="FULL_RESOLUTION")
    for band, (name, _) in masks.items():
        files.add("MASK_FILENAME", f"QI_DATA/{name}", type="MSK_QUALIT", bandId=band.index)


def _image_data(node: Node, item: pdi.Pdi, info: working.DatastripInfo, level: str) -> None:
    files = node.child("Image_Files")
    for band in BANDS:
        width = band.raw_width(info.scale) if level == "L1A" else band.width(info.scale)
        entry = files.child("Image_File", bandId=band.index)
        entry.add("IMAGE_FILE", f"IMG_DATA/{item.file_name(f'_{band.name}')}")
        entry.add("NROWS", info.lines(band)).add("NCOLS", width)
