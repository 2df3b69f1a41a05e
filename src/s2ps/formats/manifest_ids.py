"""Identifiers of the files in a manifest: what a file is, never where or when it was made.

Source: manifests of Sentinel-2 products (IMG_DATA_Band_60m_1, Format_OLQC_Report, DetectorFootprintMask_Band_10m_2).
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from s2ps.model.bands import Band

_MASKS = {
    "MSK_DETFOO": "DetectorFootprintMask",
    "MSK_QUALIT": "TechnicalQualityMask",
    "MSK_CLASSI": "ClassificationMask",
    "MSK_CLDPRB": "CloudConfidenceMask",
    "MSK_SNWPRB": "SnowConfidenceMask",
}
_NAMED = {
    "AUX_ECMWFT": "ECMWF",
    "AUX_CAMSFO": "CAMS",
    "Inventory_Metadata.xml": "Inventory_Metadata",
    "UserProduct_index.html": "HTML_Presentation",
}
_REPORT = re.compile(r"(?:^|_)([A-Z]+)_(?:CORRECTNESS|QUALITY)_report\.xml$")
_IMAGE = re.compile(r"(?:^|_)(?P<what>B\d[0-9A]|TCI|AOT|WVP|SCL)(?:_(?P<metres>\d0)m)?\.(?:jp2|bin)$")
_MASK = re.compile(r"(?:^|_)(MSK_[A-Z]{6})(?:_(?P<what>B\d[0-9A]))?(?:_(?P<metres>\d0)m)?\.\w+$")
_PDI = re.compile(
    r"S2[A-Z_]_[A-Z0-9]{4}_(?P<type>[A-Z]{3}_[A-Z0-9_]{6})_.*?(?P<tail>(?:_B\d[0-9A])?(?:_[a-z]+)?\.\w+)$"
)


def file_id(relative: str) -> str:
    """Return the identifier of a file by its path in an item or product; two files may have the same."""
    path = PurePosixPath(relative)
    if found := _REPORT.search(path.name):
        return f"{found[1].capitalize()}_OLQC_Report"
    if (found := _MASK.search(path.name)) and found[1] in _MASKS:
        metres = f"_{found['metres']}m" if found["metres"] else ""
        return f"{_MASKS[found[1]]}{_band(found['what'])}{metres}"
    if (found := _IMAGE.search(path.name)) and "QI_DATA" not in path.parts:
        return _image(found["what"], found["metres"])
    if path.stem.endswith("_PVI"):
        return "Preview"
    return _NAMED.get(path.name) or _plain(path)


def _image(what: str, metres: str | None) -> str:
    is_band = what in Band.__members__
    if metres:
        return f"IMG_DATA_{metres}m_{what}" if is_band else f"{what}_DATA_{metres}m"
    return f"IMG_DATA{_band(what)}" if is_band else f"IMG_DATA_Band_{what}"


def _band(name: str | None) -> str:
    """Return resolution and number among the bands of that resolution, "_Band_20m_4" for B8A."""
    if name is None or name not in Band.__members__:
        return ""
    band = Band[name]
    number = [other for other in Band if other.resolution == band.resolution].index(band) + 1
    return f"_Band_{band.resolution}m_{number}"


def _plain(path: PurePosixPath) -> str:
    found = _PDI.match(path.name)
    name = f"{found['type']}{found['tail']}" if found else path.name
    text = re.sub(r"[^A-Za-z0-9]", "_", "_".join((*path.parts[:-1], name)))
    return text if text[0].isalpha() else f"File_{text}"
