"""Meteorology over a tile: fields of GRIB files on regular grids, interpolated to a small grid of the tile."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.l1c.inverse_grid import projections
from ipf_adapters.reference.l1c.tile_folder import TileSheet

FloatArray = NDArray[np.float64]
AUX_ECMWFT, AUX_CAMSFO = "AUX_ECMWFT", "AUX_CAMSFO"
NODES = 9
"""Nodes of the tile grid in each direction."""


@dataclass(frozen=True, slots=True)
class Field:
    """One quantity on a regular grid of longitudes and latitudes (degrees), rows from north to south."""

    name: str
    """Short name of the parameter, as "tcwv"."""
    moment: datetime
    longitude: FloatArray
    latitude: FloatArray
    values: FloatArray

    def at(self, lon: FloatArray, lat: FloatArray) -> FloatArray:
        """Interpolate bilinearly; held constant outside the grid."""
        x = np.interp(lon, self.longitude, np.arange(len(self.longitude)))
        y = np.interp(-lat, -self.latitude, np.arange(len(self.latitude)))
        left = np.minimum(x.astype(np.intp), len(self.longitude) - 2)
        top = np.minimum(y.astype(np.intp), len(self.latitude) - 2)
        u, v, grid = x - left, y - top, self.values
        upper = grid[top, left] * (1.0 - u) + grid[top, left + 1] * u
        lower = grid[top + 1, left] * (1.0 - u) + grid[top + 1, left + 1] * u
        return np.asarray(upper * (1.0 - v) + lower * v)


def read_fields(path: Path) -> list[Field]:
    """Read all fields of a GRIB file; raises InvalidInput for a file that is none."""
    from s2ps.formats.grib import eccodes

    fields = []
    try:
        with path.open("rb") as source:
            while (message := eccodes.codes_grib_new_from_file(source)) is not None:
                try:
                    fields.append(_field(message))
                finally:
                    eccodes.codes_release(message)
    except eccodes.CodesInternalError as error:
        raise InvalidInput(f"{path}: not a GRIB file on a regular grid ({error}): fetch it again") from error
    return fields


def _field(message: Any) -> Field:
    from s2ps.formats.grib import eccodes

    columns, rows = (int(eccodes.codes_get(message, key)) for key in ("Ni", "Nj"))
    limits = [
        float(eccodes.codes_get(message, f"{axis}Of{end}GridPointInDegrees"))
        for axis in ("longitude", "latitude")
        for end in ("First", "Last")
    ]
    day, hour = str(eccodes.codes_get(message, "dataDate")), int(eccodes.codes_get(message, "dataTime"))
    base = datetime.strptime(f"{day}{hour:04d}", "%Y%m%d%H%M").replace(tzinfo=UTC)
    west, east = ((value + 180.0) % 360.0 - 180.0 for value in limits[:2])
    return Field(
        name=str(eccodes.codes_get(message, "shortName")),
        moment=base + timedelta(hours=int(eccodes.codes_get(message, "endStep"))),
        longitude=np.linspace(west, east, columns),
        latitude=np.linspace(limits[2], limits[3], rows),
        values=np.asarray(eccodes.codes_get_values(message)).reshape(rows, columns),
    )


def nearest_in_time(fields: Iterable[Field], name: str, moment: datetime) -> Field | None:
    """Return the field of a name that is valid closest to a moment, or None."""
    found = [field for field in fields if field.name == name]
    return min(found, key=lambda field: abs(field.moment - moment)) if found else None


def resample_to_tile(
    sources: Sequence[Path], names: Sequence[str], moment: datetime, sheet: TileSheet, target: Path
) -> None:
    """Write the named fields on a 9 x 9 grid over the tile (GRIB 2); raises MissingInput when one is absent."""
    fields = [field for path in sources for field in read_fields(path)]
    lon, lat = tile_grid(sheet)
    lons, lats = np.meshgrid(lon, lat)
    chosen = []
    for name in names:
        field = nearest_in_time(fields, name, moment)
        if field is None:
            files = ", ".join(path.name for path in sources)
            raise MissingInput(f"{files}: no field {name}, wanted by GIP_ECMWFP: fetch files that hold it")
        chosen.append(Field(name, field.moment, lon, lat, field.at(lons, lats)))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_fields(target, chosen)


def tile_grid(sheet: TileSheet) -> tuple[FloatArray, FloatArray]:
    """Return longitudes (west to east) and latitudes (north to south) of the 9 x 9 grid around a tile."""
    edge = sheet.size(60) * 60.0
    along = np.linspace(0.0, edge, 5)
    x = np.concatenate([sheet.ulx + along, sheet.ulx + along, np.full(5, sheet.ulx), np.full(5, sheet.ulx + edge)])
    y = np.concatenate([np.full(5, sheet.uly), np.full(5, sheet.uly - edge), sheet.uly - along, sheet.uly - along])
    lon, lat = projections(sheet.epsg)[1](x, y)
    return np.linspace(lon.min(), lon.max(), NODES), np.linspace(lat.max(), lat.min(), NODES)


def write_fields(path: Path, fields: Iterable[Field]) -> None:
    """Write fields as GRIB 2 messages on their regular grids."""
    from s2ps.formats.grib import eccodes

    with path.open("wb") as target:
        for field in fields:
            message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
            try:
                for key, value in _keys(field):
                    eccodes.codes_set(message, key, value)
                eccodes.codes_set_values(message, field.values.ravel())
                eccodes.codes_write(message, target)
            finally:
                eccodes.codes_release(message)


def _keys(field: Field) -> Iterator[tuple[str, int | float | str]]:
    lon, lat = field.longitude, field.latitude
    yield "Ni", len(lon)
    yield "Nj", len(lat)
    yield "iDirectionIncrementInDegrees", float(lon[1] - lon[0])
    yield "jDirectionIncrementInDegrees", float(lat[0] - lat[1])
    yield "longitudeOfFirstGridPointInDegrees", float(lon[0])
    yield "longitudeOfLastGridPointInDegrees", float(lon[-1])
    yield "latitudeOfFirstGridPointInDegrees", float(lat[0])
    yield "latitudeOfLastGridPointInDegrees", float(lat[-1])
    yield "dataDate", int(field.moment.strftime("%Y%m%d"))
    yield "dataTime", int(field.moment.strftime("%H%M"))
    yield "shortName", field.name
    yield "bitsPerValue", 24
