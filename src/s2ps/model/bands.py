"""The 13 bands of the MultiSpectral Instrument."""

from __future__ import annotations

from enum import Enum

DETECTOR_PIXELS_10M = 2592
"""Pixels across track of one detector at 10 m."""

_SPECTRAL_ORDER = (
    ("B01", 60, 442.7), ("B02", 10, 492.7), ("B03", 10, 559.8), ("B04", 10, 664.6), ("B05", 20, 704.1),
    ("B06", 20, 740.5), ("B07", 20, 782.8), ("B08", 10, 832.8), ("B8A", 20, 864.7), ("B09", 60, 945.1),
    ("B10", 60, 1373.5), ("B11", 20, 1613.7), ("B12", 20, 2202.4),
)  # fmt: skip


class Band(Enum):
    """A band; its value is the index 0..12 in spectral order."""

    B01 = 0
    B02 = 1
    B03 = 2
    B04 = 3
    B05 = 4
    B06 = 5
    B07 = 6
    B08 = 7
    B8A = 8
    B09 = 9
    B10 = 10
    B11 = 11
    B12 = 12

    @property
    def index(self) -> int:
        """Position in spectral order, 0..12."""
        return int(self.value)

    @property
    def ident(self) -> str:
        """Identifier in job orders: "B00".."B12", the index and not the name."""
        return f"B{self.value:02d}"

    @property
    def resolution(self) -> int:
        """Ground sampling distance of products in metres: 10, 20 or 60."""
        return _SPECTRAL_ORDER[self.value][1]

    @property
    def wavelength(self) -> float:
        """Central wavelength in nanometres (Sentinel-2A)."""
        return _SPECTRAL_ORDER[self.value][2]

    @property
    def physical_name(self) -> str:
        """Name without padding as in product metadata: "B1", "B8A"."""
        return "B8A" if self is Band.B8A else f"B{int(self.name[1:])}"

    @property
    def lines_per_packet(self) -> int:
        """Image lines in one source packet."""
        return 16 if self.resolution == 10 else 8

    def width(self, scale: int) -> int:
        """Pixels across track of one detector after binning, at a scale factor >= 1."""
        if self.resolution == 60:
            return DETECTOR_PIXELS_10M // 6 // scale
        return DETECTOR_PIXELS_10M * 10 // self.resolution // scale

    def raw_width(self, scale: int) -> int:
        """Pixels across track as read out: 60 m bands are read at 20 m and binned three to one later."""
        return self.width(scale) * 3 if self.resolution == 60 else self.width(scale)

    @classmethod
    def from_ident(cls, ident: str) -> Band:
        """Return the band of a job-order identifier such as "B08" (which is B8A)."""
        if len(ident) == 3 and ident[0] == "B" and ident[1:].isdigit() and int(ident[1:]) < len(cls):
            return cls(int(ident[1:]))
        raise ValueError(f"band identifier {ident!r}: expected B00 to B12")

    @classmethod
    def from_name(cls, name: str) -> Band:
        """Return the band of a file-name token such as "B8A"."""
        if name in cls.__members__:
            return cls[name]
        raise ValueError(f"band name {name!r}: expected one of {', '.join(cls.__members__)}")


BANDS: tuple[Band, ...] = tuple(Band)
QL_BANDS: tuple[Band, ...] = (Band.B02, Band.B03, Band.B04, Band.B10, Band.B11)
"""Quick-look bands; their identifiers in job orders are B01-B02-B03-B10-B11."""


def lines_per_granule(scale: int) -> int:
    """Return the 10 m lines of one granule: 2304 at scale 1, always a multiple of 48."""
    return 48 * max(1, round(48 / scale))
