"""QL_GEO: quick-look images of one detector and band from its packets, on the ground geometry of the datastrip.

Writes `D01_B02_quicklook.npy` and `.json` to QUICKLOOK_GEO and passes the granules on to PDI_DS_GR_LIST.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.errors import TruncatedInput
from ipf_adapters.reference.l0.granule_document import GranuleItem
from ipf_adapters.reference.l0.granule_list import GranuleList, read_granules, write_granules
from ipf_adapters.reference.l0.quicklook import (
    Pixels,
    QuicklookGeometry,
    StripGeometry,
    reduce_image,
    write_quicklook,
)
from ipf_adapters.reference.l0.source import raw_granules
from ipf_adapters.science import codec
from ipf_adapters.science.packets import CutPacket, iterate
from ipf_adapters.science.sensor_loading import load_model
from ipf_adapters.science.working import DatastripInfo, read_datastrip
from s2ps.formats.gipp import QuicklookExtraction, read_gipp
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.geometry import SensorModel

NODE_STEP = 16
"""Quick-look pixels between the nodes of the ground geometry."""
_REFERENCE = Band.B02


def run(ctx: JobContext) -> None:
    """Make the quick-looks of this part's detectors and bands."""
    datastrip = ctx.input_dir("PDI_DS")
    info = read_datastrip(datastrip)
    decimation = read_gipp(ctx.input_file("GIP_LREXTR"), QuicklookExtraction).decimation
    iers = ctx.input_file("IERS") if ctx.has_input("IERS") else None
    viedir = [path for path in ctx.input_files("GIP_VIEDIR") if path.stem.endswith(f"_{_REFERENCE.name}")]
    model = load_model(datastrip, viedir, ctx.input_file("GIP_DATATI"), iers)
    items = raw_granules(ctx, "ISP_UNCOMP_LIST")
    for detector in ctx.detectors:
        granules = read_granules(ctx.input_dir("PDI_DS_GR_LIST"), detector)
        strip = ground_nodes(model, info, detector, granules, decimation)
        own = {item.scene: item for item in items if item.detector == detector}
        for band in ctx.ql_bands:
            image = np.vstack([_granule(own.get(scene + 1), info, band, decimation) for scene in range(info.granules)])
            geometry = QuicklookGeometry(
                band=band.name,
                decimation=decimation,
                rows=image.shape[0],
                cols=image.shape[1],
                rows_per_granule=image.shape[0] / info.granules,
                strips=(strip,),
            )
            write_quicklook(ctx.output_dir("QUICKLOOK_GEO"), f"D{detector:02d}_{band.name}", image, geometry)
            write_granules(ctx.output_dir("PDI_DS_GR_LIST"), detector, f"{band.name}_granules_QL_GEO", granules)
    ctx.log.info(f"{len(ctx.detectors)} detectors, {len(ctx.ql_bands)} bands, one pixel of {decimation}")


def size_of(info: DatastripInfo, decimation: int) -> tuple[int, int]:
    """Return rows and columns of one granule's quick-look."""
    return max(1, info.lines(_REFERENCE) // decimation), max(1, _REFERENCE.width(info.scale) // decimation)


def ground_nodes(
    model: SensorModel, info: DatastripInfo, detector: int, granules: GranuleList, decimation: int
) -> StripGeometry:
    """Locate nodes of a strip at the heights of the granule centres."""
    rows, cols = size_of(info, decimation)
    total = rows * info.granules
    node_rows = np.linspace(0, total - 1, max(2, total // NODE_STEP + 1))
    node_cols = np.linspace(0, cols - 1, max(2, cols // NODE_STEP + 1))
    line = (node_rows + 0.5) * (info.lines(_REFERENCE) / rows) - 0.5
    col = (node_cols + 0.5) * (_REFERENCE.width(info.scale) / cols) - 0.5
    scene = np.minimum(node_rows // rows, info.granules - 1).astype(int)
    height = np.array([granules.granules[place].centre[2] for place in scene])
    lon, lat = model.locate(detector, _REFERENCE, line[:, None], col[None, :], height[:, None])
    return StripGeometry(
        detector=detector,
        rows=tuple(node_rows.tolist()),
        cols=tuple(node_cols.tolist()),
        lon=tuple(map(tuple, lon.tolist())),
        lat=tuple(map(tuple, lat.tolist())),
    )


def _granule(item: GranuleItem | None, info: DatastripInfo, band: Band, decimation: int) -> Pixels:
    rows, cols = size_of(info, decimation)
    image = np.zeros((info.lines(band), band.raw_width(info.scale)), dtype=np.uint16)
    path = None if item is None else item.packets(band)
    if path is not None:
        try:
            for _, packet in iterate(path.read_bytes(), source=path.name):
                if packet.image is not None:
                    part = packet.image
                    lines = codec.decompress(packet.payload, part.lines, part.columns)
                    image[part.first_line : part.first_line + part.lines, : part.columns] = lines
        except CutPacket as error:
            raise TruncatedInput(f"{error.message}: fetch the session again") from error
    return reduce_image(image, rows, cols)
