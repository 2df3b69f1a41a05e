"""CADIP: sessions, their files and quality information as OData v4 entities.

Source: CADU Interface delivery Point ICD, entities Session, File and QualityInfo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from s2ps.ingestion.listing import (
    Asked,
    Listing,
    Refused,
    RemoteFile,
    SessionFacts,
    Totals,
    merged,
    session_file,
)
from s2ps.ingestion.names import checked_name
from s2ps.ingestion.odata import ODataService, Row, instant, literal, moment_of, number_of, text_of
from s2ps.ingestion.source import Source
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import StationBusy, StationError, Web
from s2ps.ingestion.web_source import WebSource
from s2ps.model.errors import InputError

QUALITY_SETS = ("QualityInfos", "QualityInfo")
"""Stations call the set one way or the other."""


class CadipClient:
    """One CADIP station."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._web = Web(station)
        self._service = ODataService(self._web, station.page)
        self._quality_sets: tuple[str, ...] = QUALITY_SETS if station.quality_info != "ignore" else ()

    def listing(self, asked: Asked) -> Listing:
        """Return sessions since the window's start, and all files of those that are not complete.

        Files are asked for by session, never by time: no clock can hide one. The window includes its start.
        """
        facts: dict[str, SessionFacts] = {}
        refused: list[Refused] = []
        newest: datetime | None = None
        for row in self._sessions(asked.since):
            try:
                fact = _facts(row)
                newest = max(newest or moment_of(row, "PublicationDate"), moment_of(row, "PublicationDate"))
            except (ValueError, InputError) as error:
                refused.append(Refused(f"Sessions {row.get('SessionId')!r}", str(error)))
                continue
            facts[fact.session] = _both(facts.get(fact.session), fact)
        for session in asked.closed(facts):
            del facts[session]
        wanted = sorted(set(facts) | asked.open_sessions)
        files: list[RemoteFile] = []
        for session in wanted:
            of_session, not_taken = self._files(session)
            files += of_session
            refused += not_taken
            if totals := self._totals(session):
                facts[session] = replace(facts.get(session, SessionFacts(session)), totals=totals)
        return Listing(
            merged(files), tuple(facts.values()), tuple(refused), self._service.time, frozenset(wanted), newest
        )

    def source(self, file: RemoteFile) -> Source:
        """Return a file, ready to be read in ranges."""
        return WebSource(self._web, self._service.value("Files", file.address), file.size)

    def close(self) -> None:
        """Close connections."""
        self._web.close()

    def _sessions(self, since: datetime | None) -> Sequence[Row]:
        terms = [f"PublicationDate ge {instant(since)}"] if since else []
        if self._station.units:
            units = " or ".join(f"Satellite eq {literal(unit)}" for unit in self._station.units)
            terms.insert(0, f"({units})")
        options = {"filter": " and ".join(terms)} if terms else {}
        return list(self._service.rows("Sessions", **options, orderby="PublicationDate asc"))

    def _files(self, session: str) -> tuple[list[RemoteFile], list[Refused]]:
        files: list[RemoteFile] = []
        refused: list[Refused] = []
        query = f"SessionId eq {literal(session)}"
        for row in self._service.rows("Files", filter=query, orderby="PublicationDate asc"):
            try:
                found = _file(row, session)
            except (ValueError, InputError) as error:
                found = Refused(f"{session}/{row.get('Name')!r}", str(error))
            if isinstance(found, RemoteFile):
                files.append(found)
            elif found is not None:
                refused.append(found)
        return files, refused

    def _totals(self, session: str) -> tuple[Totals, ...]:
        """Return the totals of each channel, nothing where the station has no quality information."""
        for name in self._quality_sets:
            try:
                rows = list(self._service.rows(name, filter=f"SessionId eq {literal(session)}"))
            except StationBusy:
                raise
            except StationError:
                continue
            self._quality_sets = (name,)
            found: dict[int, Totals] = {}
            for row in rows:
                try:
                    channel = number_of(row, "Channel")
                    found[channel] = Totals(channel, number_of(row, "TotalChunks"), number_of(row, "TotalVolume"))
                except ValueError:
                    continue
            return tuple(found[channel] for channel in sorted(found))
        return ()


def _facts(row: Row) -> SessionFacts:
    session = checked_name(text_of(row, "SessionId"))
    channels = number_of(row, "NumChannels")
    return SessionFacts(
        session,
        channels if 1 <= channels <= 4 else None,
        start=moment_of(row, "DownlinkStart") if row.get("DownlinkStart") else None,
        stop=moment_of(row, "DownlinkStop") if row.get("DownlinkStop") else None,
    )


def _both(one: SessionFacts | None, other: SessionFacts) -> SessionFacts:
    """Return what a session and its retransfer, a session of its own at the station, tell together."""
    if one is None:
        return other
    return SessionFacts(
        one.session,
        max(one.channels or 0, other.channels or 0) or None,
        start=one.start or other.start,
        stop=one.stop or other.stop,
    )


def _file(row: Row, session: str) -> RemoteFile | Refused | None:
    name, ident = text_of(row, "Name"), str(UUID(text_of(row, "Id")))
    found = session_file(
        name,
        size=number_of(row, "Size"),
        published=moment_of(row, "PublicationDate"),
        address=ident,
        retransfer=row.get("Retransfer") is True,
        version=ident,
    )
    if not isinstance(found, RemoteFile):
        return found
    told = (row.get("SessionId"), number_of(row, "Channel"), number_of(row, "BlockNumber") if found.block else None)
    if told != (found.session, found.channel, found.block) or found.session != session:
        return Refused(f"{session}/{name}", f"file {name} is said to be of session, channel, block {told}")
    final = None if found.block is None else row.get("FinalBlock") is True
    return replace(found, final=final)
