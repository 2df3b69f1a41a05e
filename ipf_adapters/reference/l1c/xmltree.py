"""Short ways to build the metadata documents of PDIs with lxml."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

SCHEMA_ROOT = "https://psd-14.sentinel2.eo.esa.int/PSD/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def document(root: str, schema: str) -> etree._Element:
    """Return the root of a metadata document in the namespace of its schema, with prefix n1."""
    uri = SCHEMA_ROOT + schema
    element = etree.Element(etree.QName(uri, root), nsmap={"n1": uri, "xsi": XSI})
    element.set(etree.QName(XSI, "schemaLocation"), f"{uri} {schema}")
    return element


def section(root: etree._Element, tag: str, **attributes: str) -> etree._Element:
    """Append a top-level section, which is in the namespace of the document."""
    namespace = etree.QName(root).namespace
    return etree.SubElement(root, etree.QName(namespace, tag), attributes)


def node(parent: etree._Element, tag: str, text: object = None, **attributes: str) -> etree._Element:
    """Append an element with a text and attributes."""
    element = etree.SubElement(parent, tag, attributes)
    if text is not None:
        element.text = str(text)
    return element


def write(path: Path, root: etree._Element) -> None:
    """Write a document, indented, in UTF-8."""
    etree.indent(root, "  ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True) + b"\n")
