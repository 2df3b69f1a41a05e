"""Spectral bands as product metadata describe them. Source: Sentinel-2 spectral response functions (ESA, public)."""

from __future__ import annotations

from lxml import etree

from ipf_adapters.reference.l1c.xmltree import node
from s2ps.model.bands import BANDS

LIMITS = (
    (412, 456), (456, 533), (538, 583), (646, 684), (695, 714), (731, 749), (769, 797),
    (760, 907), (837, 881), (932, 958), (1337, 1412), (1539, 1682), (2078, 2320),
)  # fmt: skip
"""Nanometres between which a band responds, in spectral order."""


def add_spectral_information(parent: etree._Element) -> None:
    """Append Spectral_Information_List with resolution and wavelengths of the 13 bands."""
    bands = node(parent, "Spectral_Information_List")
    for band, (low, high) in zip(BANDS, LIMITS, strict=True):
        item = node(bands, "Spectral_Information", bandId=str(band.index), physicalBand=band.physical_name)
        node(item, "RESOLUTION", band.resolution)
        wavelength = node(item, "Wavelength")
        node(wavelength, "MIN", low, unit="nm")
        node(wavelength, "MAX", high, unit="nm")
        node(wavelength, "CENTRAL", f"{band.wavelength:g}", unit="nm")
        response = node(item, "Spectral_Response")
        node(response, "STEP", 1, unit="nm")
        node(response, "VALUES", " ".join("1" for _ in range(low, high + 1)))
