"""Auxiliary files as an AUXIP delivers them: TGZ archives with a header and a data block under the real names.

Source: Earth Explorer file format as the Sentinel-2 auxiliary files use it. The .DBL of AUX_CAMSFO and AUX_ECMWFD is
itself a tar archive (that of ECMWF with one file per field, S2D...); of the others it is the file.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from s2ps.formats.eof_header import EofHeader, header_element
from s2ps.model.errors import InputError
from s2ps.stations.content import BytesContent
from s2ps.stations.files import StationFile, disk_file

_GRIB_LENGTH = slice(8, 16)


def auxiliary_files(folder: Path) -> tuple[StationFile, ...]:
    """Return the auxiliary files of a folder as archives, in the order of their names.

    What is a .TGZ already is delivered as it is. Raises InputError when there is no auxiliary file.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name.startswith(("S2", "s2")))
    if not paths:
        raise InputError(
            f"folder {folder} holds no auxiliary file",
            expected="files such as S2B_OPER_GIP_DATATI_..., as `s2ps simulate` writes them to auxiliary/",
            next_step="give another --content",
        )
    return tuple(_delivered(path) for path in paths)


def _delivered(path: Path) -> StationFile:
    file = disk_file(path)
    if path.suffix.upper() == ".TGZ":
        return file
    header = EofHeader.from_name(path.name)
    data = path.read_bytes()
    if header.type == "AUX_CAMSFO":
        data = _tar({header.name: data})
    elif header.type == "AUX_ECMWFD":
        data = _tar(dict(_fields(header, data)))
    document = etree.tostring(header_element(header), xml_declaration=True, encoding="UTF-8", pretty_print=True)
    packed = gzip.compress(_tar({header.name + ".HDR": document, header.name + ".DBL": data}), 6, mtime=0)
    return StationFile(header.name + ".TGZ", BytesContent(packed), file.dated)


def _fields(header: EofHeader, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the GRIB messages of a file, each under the name of a disseminated field."""
    place, number = 0, 0
    while place < len(data):
        length = int.from_bytes(data[place:][_GRIB_LENGTH], "big")
        if data[place : place + 4] != b"GRIB" or not length:
            raise InputError(f"auxiliary file {header.name}: no GRIB 2 message at byte {place}")
        number += 1
        yield f"S2D{header.start:%m%d%H%M}{header.start:%m%d%H}{number:02d}1", data[place : place + length]
        place += length


def _tar(members: Mapping[str, bytes]) -> bytes:
    """Return an archive of files; the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
