"""XBIP: sessions as folders of a WebDAV server, nominal and sent again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from s2ps.ingestion.listing import Asked, Listing, Refused, RemoteFile, merged, session_file
from s2ps.ingestion.names import is_passing
from s2ps.ingestion.source import Source
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import StationError, Web, station_time
from s2ps.ingestion.web_source import WebSource
from s2ps.ingestion.webdav import PROPFIND, DavEntry, read_multistatus

DEEPEST = 8
"""Folders inside each other; what is deeper is not looked at."""
MOST_FOLDERS = 10_000


class XbipClient:
    """One WebDAV pick-up point."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._web = Web(station)
        self._whole_trees = True
        self._time: datetime | None = None

    def listing(self, asked: Asked) -> Listing:
        """Return all files of sessions in both areas; the folder of a retransfer need not exist."""
        files: list[RemoteFile] = []
        refused: list[Refused] = []
        areas = [(self._station.nominal, False)]
        if self._station.retransfer is not None:
            areas.append((self._station.retransfer, True))
        for area, again in areas:
            for found in self._files(area, again):
                if isinstance(found, RemoteFile):
                    files.append(found)
                else:
                    refused.append(found)
        return Listing(merged(files), refused=tuple(refused), station_time=self._time)

    def source(self, file: RemoteFile) -> Source:
        """Return a file, ready to be read in ranges."""
        return WebSource(self._web, self._at(file.address), file.size)

    def close(self) -> None:
        """Close connections."""
        self._web.close()

    def _at(self, path: str) -> httpx.URL:
        return self._web.base.copy_with(raw_path=path.encode("ascii"))

    def _files(self, area: str, again: bool) -> Iterator[RemoteFile | Refused]:
        top = self._web.base.copy_with(path=f"{self._web.base.path.rstrip('/')}/{area.strip('/')}".rstrip("/") + "/")
        for entry in self._below(top, optional=again):
            if entry.size is None or entry.modified is None:
                continue
            found = session_file(
                entry.name, size=entry.size, published=entry.modified, address=entry.path,
                retransfer=again, version=entry.etag,
            )  # fmt: skip
            if found is not None:
                yield found

    def _below(self, top: httpx.URL, *, optional: bool) -> Iterator[DavEntry]:
        """Yield the files below a folder: in one listing where the server allows it, else folder by folder."""
        root = top.raw_path.decode().rstrip("/")
        waiting, asked, seen = [root], set[str](), set[str]()
        while waiting:
            folder = waiting.pop()
            if folder in asked or len(asked) >= MOST_FOLDERS:
                continue
            asked.add(folder)
            entries = self._children(folder, root, optional=optional and folder == root)
            parents = {entry.path.rpartition("/")[0] for entry in entries}
            for entry in entries:
                if entry.path in seen or not self._inside(entry, root):
                    continue
                if not entry.folder:
                    seen.add(entry.path)
                    yield entry
                elif entry.path != folder and entry.path not in parents and _wanted(entry, root):
                    waiting.append(entry.path)

    def _children(self, folder: str, root: str, *, optional: bool) -> tuple[DavEntry, ...]:
        """List a folder, with all below it if possible; servers that refuse that are asked for one level only."""
        for depth in ("infinity", "1") if self._whole_trees else ("1",):
            answer = self._web.text(
                "PROPFIND", self._at(folder + "/"), content=PROPFIND, expect=(207, 400, 403, 404, 405, 501),
                headers={"Depth": depth, "Content-Type": 'application/xml; charset="utf-8"'},
            )  # fmt: skip
            self._time = station_time(answer) or self._time
            if answer.status_code == 207:
                return read_multistatus(answer.content, f"listing of {folder} at station {self._station.name}")
            if answer.status_code == 404 and (optional or folder != root):
                return ()
            if answer.status_code != 404 and depth == "infinity":
                self._whole_trees = False
                continue
            break
        raise StationError(
            f"station {self._station.name} answered {answer.status_code} to the listing of {folder}",
            expected="207 and the listing",
            next_step="check url, nominal, retransfer and auth of the station",
        )

    def _inside(self, entry: DavEntry, root: str) -> bool:
        """Return True for what lies below the area, on this server."""
        try:
            elsewhere = urlsplit(entry.href).netloc and not self._web.same_place(httpx.URL(entry.href))
        except httpx.InvalidURL:
            return False
        if elsewhere:
            return False
        within = entry.path == root or entry.path.startswith(root + "/")
        return within and not {".", ".."} & set(entry.path.split("/"))


def _wanted(entry: DavEntry, root: str) -> bool:
    depth = entry.path.removeprefix(root).count("/")
    return depth <= DEEPEST and not is_passing(entry.name) and "/" not in entry.name
