"""Data session information block: the XML file that lists the DSDB raw files of one channel of a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lxml import etree

from s2ps.formats.eof_header import refuse_document_type, secure_parser
from s2ps.model.errors import InputError
from s2ps.model.timestamps import format_utc, parse_utc

_ROOT = "DCSU_Session_Information_Block"
_TIMES = ("time_start", "time_stop", "time_created", "time_finished")


@dataclass(frozen=True, slots=True)
class Dsib:
    """Content of one DSIB."""

    session_id: str
    time_start: datetime
    time_stop: datetime
    time_created: datetime
    time_finished: datetime
    data_size: int
    """Bytes of all DSDB files together."""
    dsdb_names: tuple[str, ...]


def read_dsib(path: Path) -> Dsib:
    """Read a DSIB; raises InputError naming the file and what is wrong."""
    try:
        root = etree.fromstring(path.read_bytes(), secure_parser())
    except (OSError, etree.XMLSyntaxError) as error:
        raise InputError(f"DSIB {path} cannot be read: {error}", next_step="fetch the session again") from error
    refuse_document_type(root, f"DSIB {path}")
    if root.tag != _ROOT:
        raise InputError(f"DSIB {path} has the root element {root.tag}", expected=_ROOT)
    texts = {tag: (root.findtext(tag) or "").strip() for tag in ("session_id", "data_size", *_TIMES)}
    empty = [tag for tag, text in texts.items() if not text]
    if empty:
        raise InputError(f"DSIB {path}: {', '.join(empty)} missing", next_step="fetch the session again")
    names = tuple((element.text or "").strip() for element in root.iterfind("dsdb_list/dsdb_name"))
    for name in names:
        if not name or Path(name).name != name or name in (".", ".."):
            raise InputError(f"DSIB {path}: DSDB name {name!r}", expected="a plain file name")
    if len(set(names)) != len(names):
        raise InputError(f"DSIB {path} lists a DSDB file twice", expected="every name once")
    try:
        times = [parse_utc(texts[tag]) for tag in _TIMES]
        size = int(texts["data_size"])
    except ValueError as error:
        raise InputError(f"DSIB {path}: {error}", next_step="fetch the session again") from error
    return Dsib(texts["session_id"], times[0], times[1], times[2], times[3], size, names)


def write_dsib(path: Path, dsib: Dsib) -> None:
    """Write a DSIB."""
    path.write_bytes(dsib_document(dsib))


def dsib_document(dsib: Dsib) -> bytes:
    """Return the XML document of a DSIB."""
    root = etree.Element(_ROOT)
    etree.SubElement(root, "session_id").text = dsib.session_id
    for tag in _TIMES:
        etree.SubElement(root, tag).text = format_utc(getattr(dsib, tag), digits=0)
    etree.SubElement(root, "data_size").text = str(dsib.data_size)
    names = etree.SubElement(root, "dsdb_list")
    for name in dsib.dsdb_names:
        etree.SubElement(names, "dsdb_name").text = name
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
