"""Names of all reference processors and their modules; a module is imported only when its processor runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from ipf_adapters.reference.errors import InvalidInput

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

_PACKAGES = {
    "l0": (
        "EISP_ING_TYP GSE INIT_LOC_L0 FORMAT_ISP QL_GEO QL_CLOUD_MASK FORMAT_IMG_QL_L0 FORMAT_METADATA_GR_L0C "
        "FORMAT_METADATA_DS_L0C UNFORMAT_SAFE_DS UNFORMAT_SAFE_GR QL_DECOMP"
    ),
    "quality": "OLQC INV_MTD_L0 INV_MTD_L1 INV_MTD_L2",
    "l1a": (
        "UPDATE_LOC DECOMP INIT_LOC_L1 RADIO_AB RADIO_FINALIZE GET_GRI FORMAT_IMG_L1A FORMAT_METADATA_GR_L1A "
        "FORMAT_METADATA_DS_L1A"
    ),
    "l1b": (
        "INIT_VS_GEO UNFORMAT_GRI RESAMPLE_TO_VS TP_COLLECT TP_FILTER SPATIO GEO1B_FINALIZE FORMAT_METADATA_DS_L1B "
        "GET_TILE_LIST FORMAT_IMG_L1B FORMAT_METADATA_GR_L1B"
    ),
    "l1c": (
        "TILE_INIT GEN_ORTHO_TOA TILE_FINALIZE MASK_S2 FORMAT_IMG_L1C FORMAT_IMG_PVI_TCI FORMAT_METADATA_TILE_L1C "
        "FORMAT_METADATA_DS_L1C"
    ),
    "l2a": "SEN2COR_DS SEN2COR_TL COMPRESS_TILE_IMAGE FORMAT_METADATA_DS_L2A FORMAT_METADATA_TILE_L2A",
}

MODULES: dict[str, str] = {
    name: f"ipf_adapters.reference.{package}.{name.lower()}"
    for package, names in _PACKAGES.items()
    for name in names.split()
}


def load(name: str) -> Callable[[JobContext], None]:
    """Import a processor and return its `run` function; raises InvalidInput when no processor has that name."""
    if name not in MODULES:
        raise InvalidInput(f"processor {name} is unknown: expected one of {', '.join(sorted(MODULES))}")
    return cast("Callable[[JobContext], None]", importlib.import_module(MODULES[name]).run)
