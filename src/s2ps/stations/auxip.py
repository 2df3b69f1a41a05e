"""AUXIP: the auxiliary data interface delivery point, OData v4 with Products."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from s2ps.formats.eof_header import END_OF_VALIDITY, EofHeader
from s2ps.model.errors import ConfigurationError, InputError
from s2ps.stations import odata
from s2ps.stations.http_station import TOKEN_PATH, Download, absent, application, fetched, running
from s2ps.stations.misbehaviour import PIECE, Faults
from s2ps.stations.packing import auxiliary_files
from s2ps.stations.pickup import PickupPoint, Published
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station, certified, pickup_point

ROOT = "/odata/v1"
KEPT = timedelta(days=30)
_LOWER = {"Id": "id", "Name": "name", "ContentLength": "contentLength", "PublicationDate": "creationDate"}
Row = dict[str, Any]


@contextmanager
def serve(content: Path | None, settings: StationSettings | None = None) -> Iterator[Station]:
    """Serve the auxiliary files of a folder as TGZ archives until the context ends; the address ends in /odata/v1.

    Source: Auxiliary data Interface delivery Point, OData v4, entity Product with Checksum and ContentDate.
    """
    settings = settings or StationSettings()
    if content is None:
        raise ConfigurationError("the AUXIP has nothing to publish", next_step="give --content DIR")
    pickup, faults = pickup_point(auxiliary_files(content), settings)
    products = Products(pickup, faults, settings)
    app = application(settings, faults, products.download)
    _Routes(products, settings).add(app)
    with certified(settings) as certificate, running(app, settings, certificate) as origin:
        trusted = certificate.certificate if certificate else None
        yield Station(origin + ROOT, pickup, faults, trusted, origin + TOKEN_PATH if settings.oauth2 else None)


class Products:
    """The rows of Products, made from what is published now."""

    def __init__(self, pickup: PickupPoint, faults: Faults, settings: StationSettings) -> None:
        self.pickup, self.faults, self.settings = pickup, faults, settings
        self._sums: dict[tuple[int, int], str] = {}
        self._lock = threading.Lock()

    def download(self, ident: UUID) -> Download | None:
        """Return the file of a product."""
        found = next((file for file in self.pickup.published() if ident in (file.id, _twin(file))), None)
        return None if found is None else Download(found.name, found.content, found.size)

    def rows(self) -> list[Row]:
        """Return all rows."""
        files = self.pickup.published()
        if self.faults.behaviour.duplicates:
            return [self._row(file, ident) for file in files for ident in (file.id, file.id, _twin(file))]
        return [self._row(file, file.id) for file in files]

    def _row(self, file: Published, ident: UUID) -> Row:
        published = self.faults.date(file.published)
        checksum = "0" * 32 if self.faults.behaviour.wrong_checksum else self._md5(file)
        row = {
            "@odata.mediaContentType": "application/octet-stream",
            "Id": ident,
            "Name": file.name,
            "ContentType": "application/octet-stream",
            "ContentLength": self.faults.told_size(file.size),
            "OriginDate": published,
            "PublicationDate": published,
            "EvictionDate": published + KEPT,
            "Checksum": [{"Algorithm": "MD5", "Value": checksum, "ChecksumDate": published}],
            "ContentDate": _validity(file.name),
        }
        names = _LOWER if self.settings.names == "lower" else {}
        return {names.get(name, name): value for name, value in row.items()}

    def _md5(self, file: Published) -> str:
        key = (id(file.content), file.size)
        with self._lock:
            if key not in self._sums:
                digest = hashlib.md5(usedforsecurity=False)
                for place in range(0, file.size, PIECE):
                    digest.update(file.content.read(place, min(PIECE, file.size - place)))
                self._sums[key] = digest.hexdigest()
            return self._sums[key]


def _twin(file: Published) -> UUID:
    """Return the other Id under which a product is listed when duplicates are asked for."""
    return uuid5(file.id, "twin")


def _validity(name: str) -> Row:
    try:
        header = EofHeader.from_name(name)
    except InputError:
        return {"Start": None, "End": None}
    return {"Start": header.start, "End": min(header.stop, END_OF_VALIDITY)}


class _Routes:
    """What is answered at which path."""

    def __init__(self, products: Products, settings: StationSettings) -> None:
        self.products, self.settings = products, settings

    def add(self, app: FastAPI) -> None:
        """Add the routes to the application."""
        routes: dict[str, Callable[..., Response]] = {
            "": self.service,
            "/Products": self.rows,
            "/Products({ident})": self.one,
            "/Products({ident})/$value": self.value,
        }
        for path, function in routes.items():
            app.get(ROOT + path)(function)

    def service(self, request: Request) -> Response:
        """Return the entity sets."""
        sets = [{"name": "Products", "kind": "EntitySet", "url": "Products"}]
        return JSONResponse({"@odata.context": f"{_base(request)}/$metadata", "value": sets})

    def rows(self, request: Request) -> Response:
        """Return the products that a query asks for."""
        options = dict(request.query_params)
        query = odata.Query.of(options)
        page = odata.select(self.products.rows(), query, self.settings.page_size)
        return JSONResponse(odata.collection(_base(request), "Products", options, query, page, page.rows))

    def one(self, ident: UUID, request: Request) -> Response:
        """Return one product's description."""
        name = _LOWER["Id"] if self.settings.names == "lower" else "Id"
        found = next((row for row in self.products.rows() if row[name] == ident), None)
        if found is None:
            return absent(f"Products({ident})")
        query = odata.Query.of(request.query_params)
        return JSONResponse(odata.entity(_base(request), "Products", query, found))

    def value(self, ident: UUID, request: Request) -> Response:
        """Return the bytes of a product."""
        return fetched(self.products.download(ident), ident, request, self.products.faults)


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/") + ROOT
