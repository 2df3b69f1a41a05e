"""RADIO_AB: radiometric correction; L1A granule images, equalised images for L1B, and quality masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1a import datastrip, radiometry
from ipf_adapters.science import working
from s2ps.formats.gipp import (
    Binning,
    BlindPixels,
    CrosstalkCorrection,
    DarkSignal,
    DefectivePixels,
    RadiometricParameters,
    RelativeResponse,
    read_band_gipps,
    read_gipp,
    read_settings,
)
from s2ps.model.bands import Band

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

CORRECTIONS_NOT_MADE = {
    "GIP_R2DECT": "correction of crosstalk between detectors",
    "GIP_R2DEFI": "interpolation of defective lines",
    "GIP_R2DENT": "denoising",
    "GIP_R2L2NC": "correction of non-linear columns",
    "GIP_R2NOMO": "correction of missing modules",
    "GIP_R2SWIR": "rearrangement of the SWIR pixels",
    "GIP_R2WAFI": "wavelet filtering",
}
"""Parameter types whose correction this processor does not know: they must say `enabled=false`."""


def run(ctx: JobContext) -> None:
    """Correct every detector and band of this part; all bands at once only where there is crosstalk."""
    info = datastrip.read_info(ctx)
    scenes = datastrip.scenes_of(ctx, info)
    refuse_other_corrections(ctx)
    calibrations = read_calibrations(ctx)
    shares = read_gipp(ctx.input_file("GIP_R2CRCO"), CrosstalkCorrection).coefficients
    groups = [tuple(ctx.bands)] if shares.any() else [(band,) for band in ctx.bands]
    for done, detector in enumerate(ctx.detectors, start=1):
        for bands in groups:
            images = {band: _equalised(ctx, info, detector, band, scenes, calibrations[band]) for band in bands}
            for band, image in radiometry.remove_crosstalk(images, shares).items():
                final = radiometry.binned(image, calibrations[band].binning)
                working.write_piece(ctx.output_dir("PDI_ATF_LIST"), detector, band, scenes, final.counts)
                working.write_piece(ctx.output_dir("VECTOR"), detector, band, scenes, final.quality, "quality")
        ctx.log.progress(done, len(ctx.detectors), "detectors corrected")


def refuse_other_corrections(ctx: JobContext) -> None:
    """Raise InvalidInput where a parameter file asks for a correction that would be left out."""
    for file_type, correction in CORRECTIONS_NOT_MADE.items():
        for path in ctx.input_files(file_type):
            enabled = read_settings(path).get("enabled")
            if enabled != "false":
                raise InvalidInput(
                    f"{path}: enabled={enabled}: RADIO_AB makes no {correction}: expected enabled=false: "
                    "use a file that switches it off or a processor that makes it"
                )


def read_calibrations(ctx: JobContext) -> dict[Band, radiometry.BandCalibration]:
    """Read the parameters of the bands of this part."""
    darks = read_band_gipps(ctx.input_files("GIP_R2EQOB"), DarkSignal)
    responses = read_band_gipps(ctx.input_files("GIP_R2EQOG"), RelativeResponse)
    parameters = read_gipp(ctx.input_file("GIP_R2PARA"), RadiometricParameters)
    blind = read_gipp(ctx.input_file("GIP_BLINDP"), BlindPixels)
    binning = read_gipp(ctx.input_file("GIP_R2BINN"), Binning)
    defective = read_gipp(ctx.input_file("GIP_R2DEPI"), DefectivePixels).pixels
    found = {}
    for band in ctx.bands:
        columns: dict[int, tuple[int, ...]] = {}
        for pixel in defective:
            if Band.from_name(pixel.band) is band:
                columns[pixel.detector] = (*columns.get(pixel.detector, ()), pixel.column)
        found[band] = radiometry.BandCalibration(
            darks[band].dark,
            responses[band].response,
            columns,
            parameters.saturation,
            blind.columns,
            blind.level,
            binning.factor if band.name in binning.bands else 1,
        )
    return found


def _equalised(
    ctx: JobContext,
    info: working.DatastripInfo,
    detector: int,
    band: Band,
    scenes: range,
    calibration: radiometry.BandCalibration,
) -> radiometry.Equalised:
    """Correct one image and write its L1A granules (raw counts without the blind columns)."""
    lines = info.lines(band)
    raw = working.read_scenes(ctx.input_dir("PDI_ATF_LIST"), detector, band, scenes, lines)
    lost = working.read_scenes(ctx.input_dir("VECTOR"), detector, band, scenes, lines, "lost")
    granules = ctx.output_dir("PDI_GR_LIST")
    for place, scene in enumerate(scenes):
        image = raw[place * lines : (place + 1) * lines, calibration.blind_columns :]
        working.write_piece(granules, detector, band, range(scene, scene + 1), np.ascontiguousarray(image))
    return radiometry.equalise(raw, lost, detector, calibration)
