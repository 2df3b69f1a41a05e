"""WebDAV listings: the multistatus document of PROPFIND (RFC 4918, section 13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote, urlsplit

from lxml import etree

from s2ps.formats.eof_header import refuse_document_type, secure_parser
from s2ps.ingestion.numbers import told_number
from s2ps.ingestion.web import StationError, http_date
from s2ps.model.errors import InputError

_DAV = "{DAV:}"
_AS_IT_IS = "/%:@!$&'()*+,;=~"
PROPFIND = (
    b'<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop>'
    b"<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"
)


@dataclass(frozen=True, slots=True)
class DavEntry:
    """One resource of a listing."""

    href: str
    """As the server wrote it: absolute URL or path, percent-encoded."""
    path: str
    """Its path, percent-encoded, without a slash at the end."""
    name: str
    """Last part of the path, decoded."""
    folder: bool
    size: int | None = None
    modified: datetime | None = None
    etag: str = ""


def read_multistatus(document: bytes, what: str) -> tuple[DavEntry, ...]:
    """Return the resources of a listing; StationError, `what` naming it, when it cannot be read."""
    try:
        root = etree.fromstring(document, secure_parser())
        refuse_document_type(root, what)
    except (etree.XMLSyntaxError, InputError) as error:
        raise StationError(f"{what} cannot be read: {error}", expected="a WebDAV multistatus document") from error
    if root.tag != f"{_DAV}multistatus":
        raise StationError(f"{what} has the root element {root.tag}", expected="multistatus")
    entries = (_entry(response) for response in root.iterfind(f"{_DAV}response"))
    return tuple(entry for entry in entries if entry is not None)


def _entry(response: etree._Element) -> DavEntry | None:
    href = (response.findtext(f"{_DAV}href") or "").strip()
    if not href:
        return None
    try:
        path = quote(urlsplit(href).path.rstrip("/"), safe=_AS_IT_IS)
    except ValueError:
        return None
    name = unquote(path.rpartition("/")[2], errors="surrogateescape")
    for found in response.iterfind(f"{_DAV}propstat"):
        status = (found.findtext(f"{_DAV}status") or "").split()
        properties = found.find(f"{_DAV}prop")
        if properties is None or (len(status) > 1 and status[1] != "200"):
            continue
        kind = properties.find(f"{_DAV}resourcetype")
        if kind is not None and kind.find(f"{_DAV}collection") is not None:
            return DavEntry(href, path, name, folder=True)
        size = (properties.findtext(f"{_DAV}getcontentlength") or "").strip()
        return DavEntry(
            href, path, name, False,
            told_number(size),
            http_date(properties.findtext(f"{_DAV}getlastmodified")),
            (properties.findtext(f"{_DAV}getetag") or "").strip(),
        )  # fmt: skip
    return None
