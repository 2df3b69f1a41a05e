"""GEN_ORTHO_TOA: orthorectify the strips of all detectors onto a tile and convert them to reflectance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.angles import (
    cosine_of_sun,
    mean_angles,
    node_coordinates,
    sun_grid,
    to_lists,
    view_grid,
)
from ipf_adapters.reference.l1c.inverse_grid import InverseGrid, Project, inverse_grid, projections, seen_window
from ipf_adapters.reference.l1c.mosaic import Strip, ortho_image, prepare_strip, spline_order
from ipf_adapters.reference.l1c.tile_folder import TileSheet, load_array, selected_tiles
from ipf_adapters.reference.l1c.toa import Calibration, reflectance_numbers
from ipf_adapters.science.geometry import SensorModel
from ipf_adapters.science.sun import earth_sun_correction
from ipf_adapters.science.working import LOST, NODATA, DatastripInfo, pieces, read_datastrip, read_strip
from s2ps.formats.gipp import AbsoluteCalibration, RadiometricParameters, ResamplingParameters, read_gipp
from s2ps.model.bands import Band
from s2ps.model.timestamps import format_utc, from_gps_seconds

LINES_AROUND = 12
"""Lines read beyond those a tile needs, for the support of the interpolation."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the strips come from and how they are seen."""

    info: DatastripInfo
    model: SensorModel
    calibration: AbsoluteCalibration
    coding: RadiometricParameters
    resampling: ResamplingParameters
    images: Path
    vectors: Path | None

    def lines(self, band: Band) -> int:
        """Lines of the whole strip of a band."""
        return self.info.granules * self.info.lines(band)

    @property
    def moment(self) -> datetime:
        """Time for the position of the sun: the middle of the datastrip."""
        return self.info.start + (self.info.stop - self.info.start) / 2


def run(ctx: JobContext) -> None:
    """Write `B02.npy`, `B02_detector.npy`, `B02_quality.npy` and `B02_angles.json` per tile and band."""
    datastrip = ctx.input_dir("PDI_DS")
    sources = Sources(
        read_datastrip(datastrip),
        load_model(datastrip, ctx),
        read_gipp(ctx.input_file("GIP_R2ABCA"), AbsoluteCalibration),
        read_gipp(ctx.input_file("GIP_R2PARA"), RadiometricParameters),
        read_gipp(ctx.input_file("GIP_RESPAR"), ResamplingParameters),
        ctx.input_dir("PDI_ATF_LIST"),
        ctx.input_dir("VECTOR") if ctx.has_input("VECTOR") else None,
    )
    root = ctx.output_dir("PDI_DS_TILE_LIST")
    for sheet, folder in selected_tiles(ctx):
        to_map, to_geographic = projections(sheet.epsg)
        target = root / sheet.folder_name
        target.mkdir(parents=True, exist_ok=True)
        for done, band in enumerate(ctx.bands, start=1):
            _ortho_band(ctx, sources, sheet, band, folder, target, (to_map, to_geographic))
            ctx.log.progress(done, len(ctx.bands), f"tile {sheet.name} {band.name}")


def load_model(datastrip: Path, ctx: JobContext) -> SensorModel:
    """Return the sensor model of a datastrip, refined where it has been."""
    datation = ctx.input_file("GIP_DATATI") if ctx.has_input("GIP_DATATI") else None
    bulletin = ctx.input_file("IERS") if ctx.has_input("IERS") else None
    return SensorModel.load(datastrip, ctx.input_files("GIP_VIEDIR"), datation, bulletin)


def _ortho_band(
    ctx: JobContext,
    sources: Sources,
    sheet: TileSheet,
    band: Band,
    folder: Path,
    target: Path,
    project: tuple[Project, Project],
) -> None:
    heights = np.asarray(load_array(folder / f"height_{band.resolution}m.npy", mapped=True), dtype=np.float32)
    grids = _grids(sources, sheet, band, heights, project)
    strips = {grid.detector: _strip(ctx, sources, grid, band) for grid in grids}
    image = ortho_image(grids, strips, heights)
    lon, lat = node_coordinates(sheet, project[1])
    sun = sun_grid(sources.moment, lon, lat)
    calibration = Calibration(
        {detector: float(sources.calibration.gain[detector - 1, band.index]) for detector in strips},
        float(sources.calibration.solar_irradiance[band.index]),
        earth_sun_correction(sources.moment),
    )
    coding = sources.coding
    numbers = reflectance_numbers(image, cosine_of_sun(sheet, band.resolution, sun), calibration, coding)
    np.save(target / f"{band.name}.npy", numbers)
    np.save(target / f"{band.name}_detector.npy", np.where(numbers == coding.nodata, np.uint8(0), image.detector))
    np.save(target / f"{band.name}_quality.npy", image.quality)
    views = _views(sources, sheet, band, grids, float(heights.mean()))
    (target / f"{band.name}_angles.json").write_text(json.dumps(views) + "\n")


def _grids(
    sources: Sources,
    sheet: TileSheet,
    band: Band,
    heights: NDArray[np.float32],
    project: tuple[Project, Project],
) -> list[InverseGrid]:
    extremes = (float(heights.min()), float(heights.max()))
    grids = []
    for detector in sheet.detectors:
        window = seen_window(sources.model, detector, band, sources.lines(band), sheet, project[0], extremes)
        if not window.empty and next(pieces(sources.images, detector, band), None) is not None:
            grids.append(
                inverse_grid(sources.model, detector, band, window, sheet, project[1], extremes, sources.resampling)
            )
    return grids


def _strip(ctx: JobContext, sources: Sources, grid: InverseGrid, band: Band) -> Strip:
    first, last = grid.line_range()
    whole = read_strip(sources.images, grid.detector, band, mapped=True)
    row0 = int(np.clip(np.floor(first) - LINES_AROUND, 0, len(whole) - 1))
    row1 = int(np.clip(np.ceil(last) + LINES_AROUND, row0 + 1, len(whole)))
    counts = np.array(whole[row0:row1], dtype=np.float32)
    quality = _quality(ctx, sources, grid.detector, band, len(whole))[row0:row1].copy()
    unknown = ~np.isfinite(counts)
    quality[unknown] |= NODATA
    counts[unknown] = 0.0
    return prepare_strip(counts, quality, spline_order(sources.resampling.kernel), row0, len(whole))


def _quality(ctx: JobContext, sources: Sources, detector: int, band: Band, lines: int) -> NDArray[np.uint8]:
    width = band.width(sources.info.scale)
    if sources.vectors is None or next(pieces(sources.vectors, detector, band, "quality"), None) is None:
        ctx.log.warning(f"no quality mask of D{detector:02d} {band.name}: every pixel counts as good")
        return np.zeros((lines, width), dtype=np.uint8)
    mask = np.asarray(read_strip(sources.vectors, detector, band, "quality"), dtype=np.uint8)
    if mask.shape == (lines, width):
        return mask
    binned = mask[:lines, : mask.shape[1] // width * width].reshape(len(mask[:lines]), width, -1)
    joined = np.bitwise_or.reduce(binned, axis=2)
    missing = lines - len(joined)
    return np.pad(joined, ((0, missing), (0, 0)), constant_values=NODATA | LOST) if missing else joined


def _views(
    sources: Sources,
    sheet: TileSheet,
    band: Band,
    grids: list[InverseGrid],
    height: float,
) -> dict[str, object]:
    lines, timing = sources.lines(band), sources.model.timing
    views, first = {}, np.inf
    for grid in grids:
        view, line = view_grid(sources.model, grid, band, lines, height, sheet)
        if not view.empty:
            views[grid.detector] = view
            seconds = timing.start + timing.after_start(grid.detector, band, np.asarray(np.nanmin(line)))
            first = min(first, float(seconds))
    mean = mean_angles(list(views.values()))
    return {
        "band": band.name,
        "first_seen": format_utc(from_gps_seconds(first)) if np.isfinite(first) else None,
        "mean": mean,
        "detectors": {f"{detector:02d}": to_lists(view) for detector, view in views.items()},
    }
