"""Which images an L2A tile holds at each resolution, and how they are coded."""

from __future__ import annotations

from s2ps.model.bands import Band

BANDS_AT: dict[int, tuple[Band, ...]] = {
    10: (Band.B02, Band.B03, Band.B04, Band.B08),
    20: (
        Band.B01, Band.B02, Band.B03, Band.B04, Band.B05, Band.B06, Band.B07, Band.B8A, Band.B11, Band.B12,
    ),
    60: (
        Band.B01, Band.B02, Band.B03, Band.B04, Band.B05, Band.B06, Band.B07, Band.B8A, Band.B09, Band.B11, Band.B12,
    ),
}  # fmt: skip
QUANTIFICATION, ADD_OFFSET = 10000.0, 1000.0
AOT_QUANTIFICATION = WVP_QUANTIFICATION = 1000.0
NO_DATA, SATURATED = 0, 65535
RAW_SUFFIX = ".npy"
WORKING = "tile_l2a.json"
"""What SEN2COR_TL tells the processors after it."""


def image_path(prefix: str, item: str, resolution: int) -> str:
    """Return the path of an image without extension: "IMG_DATA/R10m/T32TPQ_20260701T101559_B02_10m"."""
    return f"IMG_DATA/R{resolution}m/{prefix}_{item}_{resolution}m"
