"""Auxiliary and static types: names in job orders against product types and folders."""

from __future__ import annotations

import re

PRODUCT_TYPES: dict[str, str] = {
    "IERS": "AUX_UT1UTC",
    "ECMWF": "AUX_ECMWFD",
    "CAMS": "AUX_CAMSFO",
    "GIP_R2EQOB": "GIP_R2EOB2",
}
"""Types whose name in a job order is not the product type of the files."""

STATIC_FOLDERS: dict[str, str] = {
    "DEM_GLOBE": "S2IPF-DEMGLOBE",
    "DEM_SRTM": "S2IPF-DEMSRTM",
    "DEM_GEOID": "S2IPF-DEMGEOID",
    "S2IPF_DEML2": "S2IPF-DEML2",
    "S2IPF_ESACCI": "S2IPF-ESACCI",
    "GRI_ORBIT": "GRI",
}
"""Folder of each static type; that of GRI_ORBIT holds one folder per relative orbit (S2__OPER_AUX_GRInnn)."""

OPTIONAL_TYPES: frozenset[str] = frozenset({"GIP_L2ACFG"})
"""Auxiliary types a job runs without when none is in the inventory."""

_GIPP = re.compile(r"GIP_[A-Z0-9]{6}")


def is_auxiliary(file_type: str) -> bool:
    """Tell whether a type of a job order is chosen by validity from the auxiliary inventory."""
    return file_type in PRODUCT_TYPES or _GIPP.fullmatch(file_type) is not None


def is_static(file_type: str) -> bool:
    """Tell whether a type of a job order is a static data set."""
    return file_type in STATIC_FOLDERS
