"""Processing parameters that name processors and checks: the baseline and the quality control lists."""

from __future__ import annotations

from s2ps.formats.gipp import CheckList, ProcessorVersion, QualityControl

_CHAINS = {
    "L0": (
        "GSE INIT_LOC_L0 FORMAT_ISP QL_GEO QL_DECOMP QL_CLOUD_MASK FORMAT_IMG_QL_L0 FORMAT_METADATA_GR_L0C "
        "FORMAT_METADATA_DS_L0C OLQC"
    ),
    "L1A": (
        "UNFORMAT_SAFE_DS UNFORMAT_SAFE_GR QL_DECOMP QL_CLOUD_MASK UPDATE_LOC DECOMP INIT_LOC_L1 RADIO_AB "
        "RADIO_FINALIZE GET_GRI FORMAT_IMG_L1A FORMAT_METADATA_GR_L1A FORMAT_METADATA_DS_L1A"
    ),
    "L1B": (
        "INIT_VS_GEO UNFORMAT_GRI RESAMPLE_TO_VS TP_COLLECT TP_FILTER SPATIO GEO1B_FINALIZE GET_TILE_LIST "
        "FORMAT_IMG_L1B FORMAT_METADATA_GR_L1B FORMAT_METADATA_DS_L1B OLQC"
    ),
    "L1C": (
        "TILE_INIT GEN_ORTHO_TOA TILE_FINALIZE MASK_S2 FORMAT_IMG_L1C FORMAT_IMG_PVI_TCI "
        "FORMAT_METADATA_TILE_L1C FORMAT_METADATA_DS_L1C OLQC"
    ),
    "L2A": ("SEN2COR_DS SEN2COR_TL COMPRESS_TILE_IMAGE FORMAT_METADATA_DS_L2A FORMAT_METADATA_TILE_L2A"),
}
"""Processors of each chain, in order of use."""
_OTHER_VERSIONS = {
    "INIT_VS_GEO": "06.01.01", "RESAMPLE_TO_VS": "06.01.01", "TP_COLLECT": "06.01.01", "TP_FILTER": "06.01.01",
    "SPATIO": "06.01.01", "FORMAT_METADATA_DS_L1B": "06.01.04", "TILE_INIT": "06.01.03", "SEN2COR_DS": "02.10.03",
    "SEN2COR_TL": "02.10.03",
}  # fmt: skip
_REPORTS = {
    "FORMAT_CORRECTNESS": ("metadata_readable", "names_consistent", "all_files_present"),
    "GENERAL_QUALITY": ("degraded_data_percentage", "checksums"),
    "SENSOR_QUALITY": ("lost_packets", "saturated_pixels"),
    "GEOMETRIC_QUALITY": ("footprint_valid", "residuals"),
    "RADIOMETRIC_QUALITY": ("mean_within_limits", "equalised"),
}
_PRODUCTS = {
    "L0_DS": 4, "L0_GR": 3, "L1A_DS": 5, "L1A_GR": 4, "L1B_DS": 5, "L1B_GR": 4, "L1C_DS": 5, "L1C_TL": 4, "L2A_DS": 5,
    "L2A_TL": 4,
}  # fmt: skip
"""Product types and how many of the reports, in their order, each must have."""


def processor_versions() -> tuple[tuple[ProcessorVersion, ...], tuple[ProcessorVersion, ...]]:
    """Return the versions of L0 and L1, and those of L2."""
    versions = {
        chain: tuple(ProcessorVersion(chain, name, _OTHER_VERSIONS.get(name, "06.01.00")) for name in names.split())
        for chain, names in _CHAINS.items()
    }
    return versions["L0"] + versions["L1A"] + versions["L1B"] + versions["L1C"], versions["L2A"]


def olqc_parameters() -> QualityControl:
    """Return the checks of each product type."""
    lists = tuple(
        CheckList(product, report, checks)
        for product, count in _PRODUCTS.items()
        for report, checks in list(_REPORTS.items())[:count]
    )
    return QualityControl(lists, 5.0)
