"""What the small XML lists between processors share: safe reading, counts, writing."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from s2ps.model.errors import InputError


def read_root(path: Path, tag: str) -> etree._Element:
    """Read a document with entities and network off; raises InputError naming file and reason."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(path.read_bytes(), parser)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", next_step="run the job that writes it") from error
    except etree.XMLSyntaxError as error:
        raise InputError(f"{path} is not well-formed XML: {error}") from error
    if root.tag != tag:
        raise InputError(f"{path} has the root {root.tag!r}", expected=tag)
    return root


def write_root(path: Path, root: etree._Element) -> None:
    """Write a document as UTF-8, its folder made if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def count_of(node: etree._Element | None, path: Path) -> int:
    """Return the count in an element; raises InputError when it is absent or no count."""
    text = "" if node is None else (node.text or "").strip()
    if not text.isdecimal():
        name = "an element" if node is None else node.tag
        raise InputError(f"{path}: {name} holds {text!r}", expected="a count")
    return int(text)


def required(node: etree._Element, name: str, path: Path) -> str:
    """Return an attribute; raises InputError when it is absent."""
    value = node.get(name)
    if value is None:
        raise InputError(f"{path}: {node.tag} has no attribute {name}")
    return value
