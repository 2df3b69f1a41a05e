"""Granules with their geometry, as the Level-0 processors pass them on: one JSON file per detector and writer.

INIT_LOC_L0 writes `D01_granules_INIT_LOC_L0.json`, QL_GEO `D01_B02_granules_QL_GEO.json`; both hold the same records.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l0.granule_document import Geometry
from ipf_adapters.science.records import RecordError, dump_record, load_record
from ipf_adapters.science.working import GranuleInfo


@dataclass(frozen=True)
class GranuleGeometry:
    """Where a granule lies; angles are (zenith, azimuth) in degrees."""

    info: GranuleInfo
    centre: tuple[float, float, float]
    """(lon, lat, height above the ellipsoid in m)."""
    view: tuple[float, float]
    sun: tuple[float, float]

    @property
    def geometry(self) -> Geometry:
        """The same as metadata documents take it."""
        return Geometry(self.info.footprint, self.centre, self.view, self.sun)


@dataclass(frozen=True)
class GranuleList:
    """The granules of one detector in order of time."""

    granules: tuple[GranuleGeometry, ...]


def write_granules(folder: Path, detector: int, writer: str, granules: GranuleList) -> None:
    """Write the granules of a detector; `writer` is the processor, with a part before it where jobs share a folder."""
    path = folder / f"D{detector:02d}_{writer}.json"
    path.write_text(dump_record(granules, indent=1) + "\n")


def read_granules(folder: Path, detector: int) -> GranuleList:
    """Read the granules of a detector from whoever wrote them; raises MissingInput or InvalidInput."""
    found = sorted(folder.glob(f"D{detector:02d}_*granules_*.json"))
    if not found:
        raise MissingInput(f"{folder} has no granules of detector D{detector:02d}: run INIT_LOC_L0 again")
    try:
        return load_record(GranuleList, found[0].read_bytes())
    except RecordError as error:
        raise InvalidInput(f"{found[0]}: {error}: run INIT_LOC_L0 again") from error
