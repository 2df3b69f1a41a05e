"""Metadata document of Level-0 granules (as ingested and consolidated): written and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.pdi import add_footprint, add_specific_parameters, new_document, read_parameters
from ipf_adapters.science.working import DatastripInfo
from s2ps.formats.pdi_metadata import MetadataDocument, Node, PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.bands import Band
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where a granule lies and how it is seen; angles are (zenith, azimuth) in degrees."""

    footprint: tuple[tuple[float, float], ...] = ()
    """Closed ring of (lon, lat)."""
    centre: tuple[float, float, float] | None = None
    """(lon, lat, height)."""
    view: tuple[float, float] = (0.0, 0.0)
    sun: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class GranuleItem:
    """A Level-0 granule item that was read."""

    path: Path
    name: PdiName
    detector: int
    scene: int
    """From 1."""
    metadata: PdiMetadata = field(repr=False)

    def packets(self, band: Band) -> Path | None:
        """Return the packet file of a band, None when the band did not come."""
        path = self.path / "IMG_DATA" / (str(self.name).removesuffix(f"_N{self.name.baseline}") + f"_{band.name}.bin")
        return path if path.is_file() else None


def granule_document(
    name: PdiName,
    info: DatastripInfo,
    scene: int,
    start: datetime,
    counts: Mapping[Band, int],
    expected: Mapping[Band, int],
    ctx: JobContext,
    geometry: Geometry | None = None,
    cloud: float | None = None,
) -> MetadataDocument:
    """Return the document of one granule; `counts` and `expected` are packets per band."""
    document = new_document(name)
    general = document.section("General_Info")
    general.add("GRANULE_ID", str(name), metadataLevel="Brief").add("DETECTOR_ID", f"{name.detector:02d}")
    general.add("DATASTRIP_ID", info.datastrip_id).add("DOWNLINK_PRIORITY", "NOMINAL").add("SENSING_TIME", start)
    general.child("Archiving_Info").add("ARCHIVING_CENTRE", ctx.centre).add("ARCHIVING_TIME", ctx.creation)
    add_specific_parameters(general, info)
    _add_geometry(document.section("Geometric_Info"), info, scene, geometry)
    quality = document.section("Quality_Indicators_Info").child("Image_Content_QI")
    common = quality.child("Common_IMG_QI")
    if cloud is not None:
        common.add("CLOUDY_PIXEL_PERCENTAGE", f"{cloud:.6f}")
    lost = 1.0 - sum(counts.values()) / max(1, sum(expected.values()))
    common.add("DEGRADED_MSI_DATA_PERCENTAGE", f"{max(0.0, 100.0 * lost):.6f}")
    listed = quality.child("Source_Packet_description").child("Source_Packet_Counters_List")
    for band, count in counts.items():
        node = listed.child("Source_Packet_Counters", bandId=band.index)
        node.add("DATA_STRIP_START", 1).add("SCENE_POSITION", scene).add("NB_OF_SOURCE_PACKETS", count)
    return document


def _add_geometry(section: Node, info: DatastripInfo, scene: int, geometry: Geometry | None) -> None:
    if geometry is not None and geometry.footprint:
        footprint = section.child("Granule_Footprint")
        add_footprint(footprint.child("Granule_Footprint"), geometry.footprint)
        footprint.add("RASTER_CS_TYPE", "POINT").add("PIXEL_ORIGIN", 1)
    position = section.child("Granule_Position").add("POSITION", (scene - 1) * info.lines_per_granule + 1)
    if geometry is None or geometry.centre is None:
        return
    header = position.child("Geometric_Header")
    longitude, latitude, height = geometry.centre
    header.add("GROUND_CENTER", f"{latitude:.9f} {longitude:.9f} {height:.3f}")
    for tag, (zenith, azimuth) in (("Incidence_Angles", geometry.view), ("Solar_Angles", geometry.sun)):
        angles = header.child(tag).add("ZENITH_ANGLE", f"{zenith:.6f}", unit="deg")
        angles.add("AZIMUTH_ANGLE", f"{azimuth:.6f}", unit="deg")


def read_granule_item(item: Path, name: PdiName) -> GranuleItem:
    """Read a Level-0 granule item; raises InvalidInput when its metadata lack its place in the datastrip."""
    try:
        metadata = read_pdi_metadata(metadata_file(item))
        lines = int(read_parameters(metadata)["LINES_PER_GRANULE"])
        scene = (int(metadata.text("POSITION")) - 1) // lines + 1
        return GranuleItem(item, name, int(metadata.text("DETECTOR_ID")), scene, metadata)
    except (InputError, ValueError, KeyError) as error:
        raise InvalidInput(f"granule {item.name}: its metadata are not complete: {error}") from error
