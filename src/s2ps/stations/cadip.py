"""CADIP: the CADU interface delivery point, OData v4 with Sessions, Files and QualityInfo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from s2ps.stations import odata
from s2ps.stations.cadip_entities import CadipEntities, Row
from s2ps.stations.cadip_metadata import METADATA
from s2ps.stations.http_station import TOKEN_PATH, Download, absent, application, fetched, running
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station, certified, session_station

ROOT = "/odata/v1"


@contextmanager
def serve(content: Path | None, settings: StationSettings | None = None) -> Iterator[Station]:
    """Serve the sessions of a folder (and the virtual ones of the timeline) until the context ends.

    The address ends in /odata/v1. Source: CADIP, OData v4 with $filter, $orderby, $top, $skip, $count, $expand, $value.
    """
    settings = settings or StationSettings()
    pickup, faults = session_station(content, settings)
    entities = CadipEntities(pickup, faults)

    def find(ident: UUID) -> Download | None:
        found = next((file for file in entities.published() if file.id == ident), None)
        return None if found is None else Download(found.name, found.content, found.size)

    app = application(settings, faults, find)
    _Routes(entities, settings, find).add(app)
    with certified(settings) as certificate, running(app, settings, certificate) as origin:
        trusted = certificate.certificate if certificate else None
        yield Station(origin + ROOT, pickup, faults, trusted, origin + TOKEN_PATH if settings.oauth2 else None)


class _Routes:
    """What is answered at which path."""

    def __init__(
        self, entities: CadipEntities, settings: StationSettings, find: Callable[[UUID], Download | None]
    ) -> None:
        self.entities, self.settings, self.find = entities, settings, find
        self.sets: dict[str, Callable[[], list[Row]]] = {
            "Sessions": entities.sessions,
            "Files": entities.files,
            "QualityInfo": entities.quality,
            "QualityInfos": entities.quality,
        }

    def add(self, app: FastAPI) -> None:
        """Add the routes to the application."""
        app.get(ROOT)(self.service)
        app.get(ROOT + "/$metadata")(self.metadata)
        app.get(ROOT + "/Sessions({ident})")(self.session)
        app.get(ROOT + "/Sessions({ident})/{name}")(self.of_session)
        app.get(ROOT + "/Files({ident})")(self.file)
        app.get(ROOT + "/Files({ident})/$value")(self.value)
        app.get(ROOT + "/{name}")(self.rows)

    def service(self, request: Request) -> Response:
        """Return the entity sets."""
        names = [{"name": name, "kind": "EntitySet", "url": name} for name in ("Sessions", "Files", "QualityInfo")]
        return JSONResponse({"@odata.context": f"{base(request)}/$metadata", "value": names})

    def metadata(self) -> Response:
        """Return the description of the entities."""
        return Response(METADATA, media_type="application/xml")

    def rows(self, name: str, request: Request) -> Response:
        """Return the rows of a set that a query asks for."""
        return absent(name) if name not in self.sets else self._answer(name, name, self.sets[name](), request)

    def of_session(self, ident: UUID, name: str, request: Request) -> Response:
        """Return the files, or the quality information, of one session."""
        row = self._found(self.entities.sessions(), ident)
        if row is None or name not in self.sets or name == "Sessions":
            return absent(f"Sessions({ident})/{name}")
        return self._answer(name, f"Sessions({ident})/{name}", self._related(row, name), request)

    def session(self, ident: UUID, request: Request) -> Response:
        """Return one session."""
        return self._entity("Sessions", self._found(self.entities.sessions(), ident), ident, request)

    def file(self, ident: UUID, request: Request) -> Response:
        """Return one file's description."""
        return self._entity("Files", self._found(self.entities.files(), ident), ident, request)

    def value(self, ident: UUID, request: Request) -> Response:
        """Return the bytes of a file."""
        return fetched(self.find(ident), ident, request, self.entities.faults)

    def _found(self, rows: list[Row], ident: UUID) -> Row | None:
        return next((row for row in rows if row["Id"] == ident), None)

    def _entity(self, name: str, row: Row | None, ident: UUID, request: Request) -> Response:
        if row is None:
            return absent(f"{name}({ident})")
        query = odata.Query.of(request.query_params)
        return JSONResponse(odata.entity(base(request), name, query, self._expanded(row, query)))

    def _answer(self, name: str, path: str, rows: list[Row], request: Request) -> Response:
        options: Mapping[str, str] = dict(request.query_params)
        query = odata.Query.of(options)
        page = odata.select(rows, query, self.settings.page_size)
        sent = [self._expanded(dict(row), query) for row in page.rows] if name == "Sessions" else page.rows
        return JSONResponse(odata.collection(base(request), path, options, query, page, sent))

    def _expanded(self, row: Row, query: odata.Query) -> Row:
        return {**row, **{name: self._related(row, name) for name in query.expand if name in self.sets}}

    def _related(self, session: Row, name: str) -> list[Row]:
        rows = [row for row in self.sets[name]() if row["SessionId"] == session["SessionId"]]
        return [row for row in rows if row.get("Retransfer", session["Retransfer"]) == session["Retransfer"]]


def base(request: Request) -> Any:
    """Return the address of the service as the client has called it."""
    return str(request.base_url).rstrip("/") + ROOT
