"""What is known of a published product."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from shapely.geometry.base import BaseGeometry

from s2ps.model.errors import PublicationError

SYSTEMATIC = "systematic_production"
PRODUCTION_TYPES = (SYSTEMATIC, "on_demand_default", "on_demand_non_default")
AttributeValue = str | bool | int | float | datetime
LONGEST_TEXT = 2000
"""Bytes of the text of an attribute: what an index of PostgreSQL holds."""
_LARGEST = 2**63
_NAMESPACE = uuid5(NAMESPACE_URL, "urn:s2ps:product")


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum of the package, as hexadecimal text; `date` says when it was computed."""

    algorithm: str
    value: str
    date: datetime


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named value; its Python type is its type in the OData service."""

    name: str
    value: AttributeValue

    def __post_init__(self) -> None:
        value = self.value
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            raise PublicationError(f"attribute {self.name} = {value} is too large", expected="an integer of 64 bits")
        if isinstance(value, float) and not math.isfinite(value):
            raise PublicationError(f"attribute {self.name} = {value}", expected="a finite number")
        if isinstance(value, datetime) and value.tzinfo is None:
            raise PublicationError(f"attribute {self.name} = {value}", expected="a time with its time zone")


@dataclass(frozen=True, slots=True)
class Publication:
    """A product that users can find and download: its package, what describes it, and its dates."""

    name: str
    """Name of the package, such as `S2B_OPER_..._N05.00.tar`; unique."""
    content_type: str
    content_length: int
    """Bytes of the package."""
    checksums: tuple[Checksum, ...]
    origin_date: datetime
    """t0: when the last input of the session was published."""
    published_at: datetime
    content_start: datetime
    """Sensing start."""
    content_end: datetime
    location: str
    """URI of the package, file:///... or s3://bucket/key?endpoint=..."""
    datatake: str
    level: str
    eviction_date: datetime | None = None
    production_type: str = SYSTEMATIC
    footprint: BaseGeometry | None = None
    """EPSG:4326, longitude first, valid over the antimeridian."""
    attributes: tuple[Attribute, ...] = ()
    quicklook: str | None = None
    """URI of the quick-look image."""
    stac_item: dict[str, Any] | None = field(default=None, hash=False)

    @property
    def id(self) -> UUID:
        """Return the id, which follows from the name alone."""
        return identify(self.name)

    @property
    def digests(self) -> frozenset[tuple[str, str]]:
        """Return algorithms and values of the checksums, in one spelling."""
        return frozenset((each.algorithm.upper(), each.value.lower()) for each in self.checksums)


def identify(name: str) -> UUID:
    """Return the id of the product with this name."""
    return uuid5(_NAMESPACE, name)


def check(publication: Publication) -> None:
    """Raise PublicationError when a record is not whole: no checksum, no time zone, an attribute given twice ..."""
    dates = {
        "origin date": publication.origin_date,
        "publication date": publication.published_at,
        "eviction date": publication.eviction_date,
        "sensing start": publication.content_start,
        "sensing end": publication.content_end,
        **{f"date of checksum {each.algorithm}": each.date for each in publication.checksums},
    }
    names = [each.name for each in publication.attributes]
    twice = sorted({name for name in names if names.count(name) > 1})
    findings = [f"its {what} has no time zone" for what, date in dates.items() if date and date.tzinfo is None]
    findings += [f"attribute {name} is given twice" for name in twice]
    long = [each.name for each in publication.attributes if len(str(each.value).encode()) > LONGEST_TEXT]
    findings += [f"attribute {name} has more than {LONGEST_TEXT} bytes" for name in long]
    if not publication.name:
        findings.append("it has no name")
    if not publication.checksums or not all(each.value for each in publication.checksums):
        findings.append("it has no checksum")
    if publication.content_length < 0:
        findings.append(f"its size is {publication.content_length}")
    if publication.content_end < publication.content_start:
        findings.append("sensing ends before it starts")
    if publication.production_type not in PRODUCTION_TYPES:
        findings.append(f"its production type is {publication.production_type!r}")
    if findings:
        raise PublicationError(f"product {publication.name!r} cannot be published: {'; '.join(findings)}")
