"""What was observed: the values that exist on every dimension of a datatake."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from s2ps.model.bands import BANDS, QL_BANDS
from s2ps.model.dimensions import Dimension
from s2ps.model.mission import DETECTORS

_DETECTORS = tuple(f"{number:02d}" for number in DETECTORS)
_BANDS = tuple(band.ident for band in BANDS)
_QL_BANDS = tuple(band.ident for band in QL_BANDS)


class ObservationSpace(BaseModel):
    """The values on each dimension, as far as they are known when a phase group is planned."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    granules: int = Field(default=0, ge=0, le=999)
    """Scenes of the datastrip (granules of one detector); known after L0U."""
    datastrips: tuple[str, ...] = ("1",)
    """Short names (letters and digits); several of them split every job."""
    detectors: tuple[str, ...] = _DETECTORS
    bands: tuple[str, ...] = _BANDS
    """Identifiers B00 to B12."""
    ql_bands: tuple[str, ...] = _QL_BANDS
    has_gri: bool = False
    """Reference images were found; known after GET_GRI."""
    gri_granules: int | None = Field(default=None, ge=1, le=999)
    """Entries of the GRI list; None: as many as scenes."""
    tiles: tuple[str, ...] = ()
    """Names in the order of the tile list, that numbers them; known after GET_TILE_LIST."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for field in ("datastrips", "detectors", "bands", "ql_bands", "tiles"):
            values = getattr(self, field)
            if len(set(values)) != len(values):
                raise ValueError(f"{field}: values must differ, got {', '.join(values)}")
        return self

    @property
    def products(self) -> int:
        """Number of granule products of one level: scenes times detectors."""
        return self.granules * len(self.detectors)

    def scenes(self, of_gri: bool = False) -> tuple[str, ...]:
        """Return the numbers "001".. of the scenes, or those of the GRI list."""
        count = self.gri_granules or self.granules if of_gri else self.granules
        return tuple(f"{number:03d}" for number in range(1, count + 1))

    def values(self, dimension: Dimension, *, of_gri: bool = False) -> tuple[str, ...]:
        """Return all values of a dimension; products and channels have none of their own."""
        match dimension:
            case Dimension.DATASTRIP:
                return self.datastrips
            case Dimension.DETECTOR:
                return self.detectors
            case Dimension.BAND:
                return self.bands
            case Dimension.QL_BAND:
                return self.ql_bands
            case Dimension.ATF | Dimension.GRANULE:
                return self.scenes(of_gri)
            case Dimension.TILE:
                return self.tiles
            case _:
                return ()
