"""L2A metadata documents from those of L1C: same sections under another root, with what differs replaced."""

from __future__ import annotations

import copy

from lxml import etree

from ipf_adapters.reference.l1c.xmltree import document, node, section
from ipf_adapters.reference.l2a import layout, scene
from s2ps.formats.pdi_metadata import PdiMetadata
from s2ps.model.bands import BANDS


def converted(source: PdiMetadata, root_name: str, schema: str) -> etree._Element:
    """Return a document of another type with a copy of all sections of an L1C document."""
    root = document(root_name, schema)
    for part in source.root:
        attributes = {str(key): str(value) for key, value in part.attrib.items()}
        target = section(root, etree.QName(part).localname, **attributes)
        for child in part:
            element = copy.deepcopy(child)
            target.append(element)
    etree.cleanup_namespaces(root, keep_ns_prefixes=["n1", "xsi"])
    return root


def replace_text(root: etree._Element, tag: str, text: str) -> None:
    """Set the text of the first element of a name, where there is one."""
    element = next(root.iter(f"{{*}}{tag}"), None)
    if element is not None:
        element.text = text


def surface_characteristics(root: etree._Element) -> None:
    """Replace the radiometric description of L1C by that of surface reflectance, AOT, WVP and SCL."""
    characteristics = next(root.iter("Product_Image_Characteristics"))
    old = characteristics.find("QUANTIFICATION_VALUE")
    place = len(characteristics) if old is None else list(characteristics).index(old)
    for tag in ("QUANTIFICATION_VALUE", "Radiometric_Offset_List"):
        for element in characteristics.findall(tag):
            characteristics.remove(element)
    holder = etree.Element("holder")
    quantities = node(holder, "QUANTIFICATION_VALUES_LIST")
    node(quantities, "BOA_QUANTIFICATION_VALUE", int(layout.QUANTIFICATION), unit="none")
    node(quantities, "AOT_QUANTIFICATION_VALUE", layout.AOT_QUANTIFICATION, unit="none")
    node(quantities, "WVP_QUANTIFICATION_VALUE", layout.WVP_QUANTIFICATION, unit="cm")
    offsets = node(holder, "BOA_ADD_OFFSET_VALUES_LIST")
    for band in BANDS:
        node(offsets, "BOA_ADD_OFFSET", -int(layout.ADD_OFFSET), band_id=str(band.index))
    for element in reversed(list(holder)):
        characteristics.insert(place, element)
    classes = node(characteristics, "Scene_Classification_List")
    for index, name in enumerate(scene.NAMES):
        item = node(classes, "Scene_Classification_ID")
        node(item, "SCENE_CLASSIFICATION_TEXT", f"SC_{name}")
        node(item, "SCENE_CLASSIFICATION_INDEX", index)
