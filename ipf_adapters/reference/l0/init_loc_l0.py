"""INIT_LOC_L0: first location of a datastrip from its ancillary data.

Writes `datastrip.json` and `ancillary.npz` to PDI_DS, and granule descriptions (footprint, angles) to PDI_DS_GR_LIST.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ipf_adapters.reference.l0.datastrip_document import read_datastrip_item
from ipf_adapters.reference.l0.granule_list import GranuleGeometry, GranuleList, write_granules
from ipf_adapters.reference.l0.packet_files import split_packets
from ipf_adapters.reference.l0.source import raw_datastrip, sad_file
from ipf_adapters.science.ancillary_packets import collect
from ipf_adapters.science.sensor_loading import load_model
from ipf_adapters.science.sun import sun_angles
from ipf_adapters.science.terrain import HeightGrid
from ipf_adapters.science.working import DatastripInfo, GranuleInfo, write_ancillary, write_datastrip, write_granule
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.geometry import SensorModel

REFERENCE_BAND = Band.B02


class Globe:
    """Heights of the coarse global DEM, taken as heights above the ellipsoid."""

    def __init__(self, folder: Path) -> None:
        self._grid = HeightGrid(folder)

    def height(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
        """Return metres at degrees."""
        return self._grid.at(lon, lat)


def run(ctx: JobContext) -> None:
    """Locate one datastrip."""
    item, _ = raw_datastrip(ctx, "PDI_DS")
    info, _ = read_datastrip_item(item)
    source = sad_file(ctx.input_dir("PDI_SAD") if ctx.has_input("PDI_SAD") else item / "ANC_DATA")
    ancillary = collect(packet for packet, _ in split_packets(source.read_bytes(), source.name))
    folder = ctx.output_dir("PDI_DS")
    write_datastrip(folder, info)
    write_ancillary(folder, ancillary)
    iers = ctx.input_file("IERS") if ctx.has_input("IERS") else None
    model = load_model(folder, ctx.input_files("GIP_VIEDIR"), ctx.input_file("GIP_DATATI"), iers)
    globe = Globe(ctx.input_dir("DEM_GLOBE"))
    target = ctx.output_dir("PDI_DS_GR_LIST")
    for detector in ctx.detectors:
        granules = locate_granules(model, info, detector, globe)
        write_granules(target, detector, "granules_INIT_LOC_L0", granules)
        for granule in granules.granules:
            write_granule(target, granule.info)
    ctx.log.info(f"{info.datastrip_id}: {len(ctx.detectors)} detectors, {info.granules} scenes located")


def locate_granules(model: SensorModel, info: DatastripInfo, detector: int, globe: Globe) -> GranuleList:
    """Return all granules of a detector with footprint (corners of the 10 m image), centre and angles."""
    band = REFERENCE_BAND
    lines, width = info.lines(band), band.width(info.scale)
    first = np.arange(info.granules)[:, None] * lines - 0.5
    line = first + np.array([0.0, 0.0, lines, lines, lines / 2])
    col = np.array([0.0, width, width, 0.0, width / 2]) - 0.5
    lon, lat, height = model.locate_on(detector, band, line, np.broadcast_to(col, line.shape), globe)
    zenith, azimuth = model.view_angles(detector, band, line[:, 4], np.full(info.granules, col[4]), height[:, 4])
    granules = []
    for place in range(info.granules):
        start = info.start + timedelta(milliseconds=place * info.lines_per_granule * info.line_period_ms)
        stop = start + timedelta(milliseconds=info.lines_per_granule * info.line_period_ms)
        ring = tuple((float(lon[place, k]), float(lat[place, k])) for k in (0, 1, 2, 3, 0))
        centre = (float(lon[place, 4]), float(lat[place, 4]), float(height[place, 4]))
        sun = sun_angles(start, centre[0], centre[1])
        described = GranuleInfo(detector=detector, index=place + 1, start=start, stop=stop, footprint=ring)
        granules.append(
            GranuleGeometry(
                info=described,
                centre=centre,
                view=(float(zenith[place]), float(azimuth[place])),
                sun=(float(sun[0]), float(sun[1])),
            )
        )
    return GranuleList(granules=tuple(granules))
