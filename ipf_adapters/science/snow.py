"""Where snow lies, for L1C masks and L2A classes alike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from s2ps.formats.gipp import SnowThresholds


def is_snow(green: NDArray[np.float32], swir: NDArray[np.float32], thresholds: SnowThresholds) -> NDArray[np.bool_]:
    """Tell which pixels are snow by their reflectances in green and short-wave infrared; those without data are not."""
    with np.errstate(invalid="ignore", divide="ignore"):
        index = (green - swir) / (green + swir)
        return np.asarray((index > thresholds.index) & (green > thresholds.green) & (swir < thresholds.swir))
