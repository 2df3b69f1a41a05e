"""One poll of an AUXIP station: auxiliary products published since the window's start are fetched and handed on.

Source: Auxiliary data Interface delivery Point, OData v4, entity Product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from s2ps.ingestion.checks import strongest
from s2ps.ingestion.download import Engine, Wanted, forget
from s2ps.ingestion.listing import Listing
from s2ps.ingestion.memory import Memory
from s2ps.ingestion.names import checked_name
from s2ps.ingestion.numbers import LARGEST
from s2ps.ingestion.odata import ODataService, Row, instant, moment_of, number_of, text_of
from s2ps.ingestion.report import PollReport
from s2ps.ingestion.room import GIGABYTE, Room
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import Web
from s2ps.ingestion.web_source import WebSource
from s2ps.inventory.arrival_records import ArrivingProduct, FileState
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.intake import Intake
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError, S2psError
from s2ps.model.timestamps import format_utc, parse_utc

WANTED = r"S2[A-Z_]_[A-Z0-9]{4}_(AUX|GIP)_[A-Z0-9_]{6}_.*"
Content = tuple[str, str]
PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
"""A product that has failed is tried again at the next poll, then after pauses that double."""
VARIANTS: Mapping[str, tuple[str, ...]] = {
    "Id": ("Id", "id"),
    "Name": ("Name", "name"),
    "ContentLength": ("ContentLength", "contentLength"),
    "PublicationDate": ("PublicationDate", "publicationDate", "creationDate"),
    "Checksum": ("Checksum", "checksum"),
}
"""How stations call the attributes; `names` of a station adds to them."""


@dataclass(frozen=True, slots=True)
class Published:
    """One product as the station lists it."""

    ident: str
    name: str
    size: int
    published: datetime
    checksum: str

    @classmethod
    def of(cls, record: ArrivingProduct) -> Published:
        """Return a product as it was listed before."""
        size, published, checksum = record.edition.split("|", 2)
        return cls(record.product, record.name, int(size), parse_utc(published), checksum)

    @property
    def edition(self) -> str:
        """Return what changes when it is published again."""
        return f"{self.size}|{format_utc(self.published)}|{self.checksum}"


class AuxipClient:
    """One AUXIP station."""

    def __init__(self, station: Station) -> None:
        self._web = Web(station)
        self.service = ODataService(self._web, station.page)
        self._given = station.names
        self._match = re.compile(station.match or WANTED)
        self._date = station.names.get("PublicationDate", "PublicationDate")

    def products(self, since: datetime) -> tuple[list[Published], dict[str, str], datetime | None]:
        """Return the wanted products from `since` on (inclusive), why others cannot be read, and the newest date."""
        found: list[Published] = []
        refused: dict[str, str] = {}
        newest: datetime | None = None
        options = {"filter": f"{self._date} ge {instant(since)}", "orderby": f"{self._date} asc"}
        for row in self.service.rows("Products", **options):
            try:
                product = self._read(row)
            except (ValueError, TypeError, AttributeError, InputError) as error:
                refused[f"{self._value(row, 'Id')!r} {self._value(row, 'Name')!r}"] = str(error)
                continue
            newest = max(newest or product.published, product.published)
            if self._match.fullmatch(product.name):
                found.append(product)
        return found, refused, newest

    def source(self, product: Published) -> WebSource:
        """Return a product, ready to be read in ranges."""
        return WebSource(self._web, self.service.value("Products", product.ident), product.size)

    def close(self) -> None:
        """Close connections."""
        self._web.close()

    def _read(self, row: Row) -> Published:
        plain = {name: self._value(row, name) for name in VARIANTS}
        size, sums = number_of(plain, "ContentLength"), plain["Checksum"]
        if not 0 <= size <= LARGEST:
            raise ValueError(f"ContentLength is {size}")
        listed = [item for item in sums if isinstance(item, dict)] if isinstance(sums, list) else []
        published = [(str(item.get("Algorithm", "")), str(item.get("Value", ""))) for item in listed]
        return Published(
            text_of(plain, "Id"),
            checked_name(text_of(plain, "Name")),
            size,
            moment_of(plain, "PublicationDate"),
            strongest(published),
        )

    def _value(self, row: Row, name: str) -> object:
        names = (self._given[name],) if name in self._given else VARIANTS[name]
        return next((row[variant] for variant in names if variant in row), None)


@dataclass(slots=True)
class ProductIntake:
    """One poll; `accept` takes a fetched file in, or raises InputError to refuse it; afterwards the file is gone."""

    station: Station
    client: AuxipClient
    engine: Engine
    arrivals: Arrivals
    folder: Path
    accept: Callable[[Path], None]
    now: datetime
    report: PollReport = field(init=False)
    _room: Room = field(init=False)
    _tries: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.report = PollReport(self.station.name)
        self._room = Room(self.folder, self.station.min_free_gb * GIGABYTE)

    def poll(self) -> PollReport:
        """Do it; what was refused is not fetched again until it is published again."""
        memory = Memory(self.station.name, self.arrivals)
        overlap, retention = self.station.overlap_seconds, self.station.retention_days
        since, swept = memory.since(self.now, timedelta(seconds=overlap), timedelta(days=retention))
        products, refused, newest = self.client.products(since)
        self.arrivals.refuse(self.station.name, refused, self.now)
        failing = self._failing(products, retention)
        known = self.arrivals.products(self.station.name, {product.name for product in (*products, *failing)})
        due = self._due((*products, *failing), known)
        self.report.listed, self.report.refused = len(products), len(refused)
        with ThreadPoolExecutor(self.station.files, thread_name_prefix="file") as pool:
            for _ in pool.map(self._take, due):
                pass
        if not self.report.disk_full:
            listing = Listing((), station_time=self.client.service.time, newest=newest)
            memory.move_window(listing, self.now, swept)
        return self.report

    def _failing(self, listed: Sequence[Published], retention_days: float) -> list[Published]:
        """Return what could not be fetched before and is not listed now: the window has gone on without it."""
        names = {product.ident for product in listed}
        first = self.now - timedelta(days=retention_days)
        found = [
            Published.of(item)
            for item in self.arrivals.failing_products(self.station.name)
            if item.product not in names
        ]
        return [product for product in found if product.published >= first]

    def _rests(self, known: ArrivingProduct | None, product: Published) -> bool:
        """Tell whether it is too early to try a product again that has failed."""
        if known is None or known.edition != product.edition or known.tries < 2:
            return False
        pause = min(PAUSE * (1 << min(known.tries - 2, 30)), LONGEST_PAUSE)
        return known.seen_at <= self.now < known.seen_at + pause

    def _due(self, products: Sequence[Published], known: Mapping[str, ArrivingProduct]) -> list[Published]:
        """Return what to fetch: every content once, however often and under how many identifiers it is listed."""
        here = {_content(item.name, item.edition) for item in known.values() if item.state == "complete"}
        self._tries = {(item.product, item.edition): item.tries for item in known.values()}
        due: dict[Content, Published] = {}
        for product in products:
            content = _content(product.name, product.edition)
            if _settled(known.get(product.ident), product):
                continue
            if content in here:
                self._keep(product, "complete", "")
            elif not self._rests(known.get(product.ident), product):
                due.setdefault(content, product)
        return list(due.values())

    def _take(self, product: Published) -> None:
        with self._room.reserve(product.size) as fits:
            if fits:
                self._fetch(product)
            else:
                self.report.disk_full = True

    def _fetch(self, product: Published) -> None:
        target = self.folder / product.name
        wanted = Wanted(target, product.edition, product.size, product.published, product.checksum)
        try:
            if not self.engine.fetch(self.client.source(product), wanted):
                return
            self.accept(target)
        except InputError as error:
            forget(target)
            self._keep(product, "refused", error.message)
            return
        except (S2psError, OSError) as error:
            self._keep(product, "listed", str(error), self._tries.get((product.ident, product.edition), 0) + 1)
            return
        forget(target)
        self._keep(product, "complete", "")
        self.report.fetched += 1
        self.report.bytes += product.size
        self.report.completed.append(product.name)

    def _keep(self, product: Published, state: FileState, problem: str, tries: int = 0) -> None:
        record = ArrivingProduct(
            self.station.name, product.ident, product.name, product.edition, state, problem, self.now, tries
        )
        self.arrivals.keep_product(record)
        if problem:
            self.report.problems.append(f"{product.name}: {problem}")


def _settled(known: ArrivingProduct | None, product: Published) -> bool:
    return known is not None and known.edition == product.edition and known.state in ("complete", "refused")


def _content(name: str, edition: str) -> Content:
    """Return what is the same for the same bytes, where a checksum tells; else the edition."""
    size, _, checksum = edition.split("|", 2)
    return (name, f"{size}|{checksum}") if checksum else (name, edition)


def into_inventory(inventory: Inventory, auxiliary: Path) -> Callable[[Path], None]:
    """Return what takes auxiliary files and packages into the auxiliary folder and the inventory."""
    intake = Intake(AuxiliaryFiles(inventory), auxiliary)

    def accept(path: Path) -> None:
        for name, error in intake.take(path).refused:
            if error.retryable:
                raise error
            raise InputError(f"{name} in {path.name}: {error}")

    return accept
