"""From raw counts to counts proportional to radiance: DN = dark + gain * response * L, so (DN - dark) / response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.science.working import DEFECTIVE, LOST, SATURATED
from s2ps.model.bands import Band

Counts = NDArray[np.float32]
Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class BandCalibration:
    """What the correction of one band needs; arrays are (12, raw width)."""

    dark: NDArray[np.float64]
    response: NDArray[np.float64]
    defective: Mapping[int, tuple[int, ...]]
    """Columns as read out, by detector."""
    saturation: int
    blind_columns: int
    blind_level: float
    binning: int
    """Columns that make one pixel: 3 at 60 m."""


@dataclass(frozen=True, slots=True)
class Equalised:
    """Corrected counts at read-out width and the quality of each of them."""

    counts: Counts
    quality: Mask


def equalise(raw: NDArray[np.uint16], lost: Mask, detector: int, calibration: BandCalibration) -> Equalised:
    """Correct blind-pixel drift, dark signal and response, interpolate defective columns, flag saturation.

    `raw` is (lines, blind columns + raw width), `lost` (lines,) with the bit of lost packets.
    """
    blind = calibration.blind_columns
    image = raw[:, blind:].astype(np.float32)
    quality: Mask = np.broadcast_to(lost[:, None], image.shape).astype(np.uint8)
    quality[raw[:, blind:] >= calibration.saturation] |= SATURATED
    if blind:
        image -= (raw[:, :blind].mean(axis=1) - calibration.blind_level).astype(np.float32)[:, None]
    image -= calibration.dark[detector - 1].astype(np.float32)
    image /= calibration.response[detector - 1].astype(np.float32)
    columns = calibration.defective.get(detector, ())
    if columns:
        image = interpolate_columns(image, columns)
        quality[:, list(columns)] |= DEFECTIVE
    image[lost.astype(bool)] = 0.0
    return Equalised(image, quality)


def interpolate_columns(image: Counts, columns: tuple[int, ...]) -> Counts:
    """Replace columns by the straight line between their nearest good neighbours (held at the borders)."""
    width = image.shape[1]
    good = np.setdiff1d(np.arange(width), columns)
    if good.size == 0:
        return image
    result = image.copy()
    for column in columns:
        after = int(np.searchsorted(good, column))
        left, right = good[max(after - 1, 0)], good[min(after, good.size - 1)]
        share = 0.0 if right == left else min(max((column - left) / (right - left), 0.0), 1.0)
        result[:, column] = (1.0 - share) * image[:, left] + share * image[:, right]
    return result


def binned(equalised: Equalised, factor: int) -> Equalised:
    """Average `factor` neighbouring columns into one pixel; its quality tells what any of them had."""
    if factor == 1:
        return equalised
    lines, columns = equalised.counts.shape
    width = columns // factor
    counts = equalised.counts[:, : width * factor].reshape(lines, width, factor).mean(axis=2, dtype=np.float32)
    quality = np.bitwise_or.reduce(equalised.quality[:, : width * factor].reshape(lines, width, factor), axis=2)
    return Equalised(counts, quality)


def remove_crosstalk(images: Mapping[Band, Equalised], shares: NDArray[np.float64]) -> dict[Band, Equalised]:
    """Take from each band its share of every other given band, resampled by nearest neighbour.

    `shares` is (13, 13): rows are the disturbed bands, columns the disturbing ones.
    """
    if not shares.any():
        return dict(images)
    corrected = {}
    for band, equalised in images.items():
        counts = equalised.counts.copy()
        for other, disturbing in images.items():
            share = shares[band.index, other.index]
            if share and other is not band:
                counts -= np.float32(share) * _fitted(disturbing.counts, counts.shape)
        counts[(equalised.quality & LOST) != 0] = 0.0
        corrected[band] = Equalised(counts, equalised.quality)
    return corrected


def _fitted(image: Counts, shape: tuple[int, ...]) -> Counts:
    rows = np.minimum((np.arange(shape[0]) + 0.5) * image.shape[0] / shape[0], image.shape[0] - 1).astype(np.intp)
    cols = np.minimum((np.arange(shape[1]) + 0.5) * image.shape[1] / shape[1], image.shape[1] - 1).astype(np.intp)
    return image[np.ix_(rows, cols)]
