"""Stations that answer what no station should: a poll says so, or goes on without it; it never falls over."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from unit.ingestion.conftest import SESSION

from s2ps.ingestion.auth import LoginRefused
from s2ps.ingestion.cadip import CadipClient
from s2ps.ingestion.listing import Asked, Refused, session_file
from s2ps.ingestion.memory import Memory
from s2ps.ingestion.numbers import told_number
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import StationBusy, StationError, Web, http_date
from s2ps.ingestion.webdav import read_multistatus
from s2ps.ingestion.xbip import XbipClient
from s2ps.inventory.arrival_records import StationWindow
from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit
Replies = Callable[[str, str], tuple[int, dict[str, str], bytes]]
NAME = f"DCS_05_{SESSION}_ch1_DSDB_00001.raw"


@contextmanager
def answering(replies: Replies) -> Iterator[tuple[str, list[str]]]:
    """Serve what a function says of method and path; yield the address and the paths asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def _answer(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, body = replies(self.command, self.path)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PROPFIND = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def station(kind: str, url: str, **values: Any) -> Station:
    return Station.model_validate({"name": "one", "kind": kind, "url": url, **values})


def response(href: str, size: str = "5", modified: str = "Wed, 01 Jul 2026 10:20:00 GMT") -> str:
    return (
        f"<response><href>{href}</href><propstat><prop><getcontentlength>{size}</getcontentlength>"
        f"<getlastmodified>{modified}</getlastmodified></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    )


def test_a_listing_with_odd_addresses_and_sizes_gives_the_good_files() -> None:
    odd = ("http://[bad/x.raw", "http://host:port/NOMINAL/x.raw", "//[::1/x.raw")
    document = "".join(response(href) for href in odd) + response(f"/NOMINAL/{NAME}")
    document += response(f"/NOMINAL/{NAME.replace('00001', '00002')}", size="9" * 5000)
    document += response(f"/NOMINAL/{NAME.replace('00001', '00003')}", size="1" + "0" * 18)
    body = f'<multistatus xmlns="DAV:">{document}</multistatus>'.encode()
    with answering(lambda _method, path: (207, {}, body) if "NOMINAL" in path else (404, {}, b"")) as (url, _):
        client = XbipClient(station("xbip", url))
        listing = client.listing(Asked())
        client.close()
    assert [file.name for file in listing.files] == [NAME]
    assert [item.reason for item in listing.refused] == [
        f"file {NAME.replace('00001', '00003')} is said to have {10**18} bytes"
    ]


@pytest.mark.parametrize("size", [-1, 1 << 60])
def test_a_size_no_file_has_is_refused(size: int) -> None:
    found = session_file(NAME, size=size, published=datetime(2026, 7, 1, tzinfo=UTC), address="a")
    assert isinstance(found, Refused)
    assert told_number("9" * 30) is None


@pytest.mark.parametrize("zone", ["GMT", "-0000", "+0200"])
def test_dates_do_not_depend_on_the_zone_of_this_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        hour = 8 if zone == "+0200" else 10
        assert http_date(f"Wed, 01 Jul 2026 10:20:00 {zone}") == datetime(2026, 7, 1, hour, 20, tzinfo=UTC)
        text = f'<multistatus xmlns="DAV:">{response("/a", modified=f"Wed, 01 Jul 2026 10:20:00 {zone}")}</multistatus>'
        (entry,) = read_multistatus(text.encode(), "a listing")
        assert entry.modified == datetime(2026, 7, 1, hour, 20, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert http_date("yesterday") is None


@pytest.mark.parametrize("link", ["http://[bad", "http://host:port/x", "http://elsewhere.example/x"])
def test_a_next_page_that_is_no_address_of_the_station_is_said(link: str) -> None:
    body = json.dumps({"value": [], "@odata.nextLink": link}).encode()
    with answering(lambda _method, _path: (200, {}, body)) as (url, _):
        client = CadipClient(station("cadip", url))
        with pytest.raises(StationError, match="next page"):
            client.listing(Asked())
        client.close()


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "soon"])
def test_a_session_with_a_date_outside_all_time_is_refused(moment: str) -> None:
    row = {"SessionId": SESSION, "NumChannels": 2, "PublicationDate": moment}
    body = json.dumps({"value": [row]}).encode()
    with answering(lambda _method, _path: (200, {}, body)) as (url, _):
        client = CadipClient(station("cadip", url))
        listing = client.listing(Asked())
        client.close()
    assert (listing.files, listing.facts) == ((), ())
    assert [item.address for item in listing.refused] == [f"Sessions '{SESSION}'"]


def test_a_window_never_begins_before_all_time(tmp_path: Path) -> None:
    arrivals = Arrivals(Inventory(tmp_path / "inventory.sqlite"))
    memory, now = Memory("one", arrivals), datetime(2026, 7, 1, tzinfo=UTC)
    arrivals.set_window("one", StationWindow(datetime(1, 1, 3, tzinfo=UTC), now))
    for moment in (now, now + timedelta(days=1)):
        since, _ = memory.since(moment, timedelta(days=10), timedelta(days=10))
        assert since == datetime(1, 1, 2, tzinfo=UTC)


def oauth2(url: str) -> dict[str, str]:
    return {"kind": "oauth2", "token_url": f"{url}/token", "client_id": "s2ps"}


def test_a_token_server_that_is_away_is_asked_again_and_ends_nothing() -> None:
    told = iter([503, 200])

    def replies(_method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        body = {"access_token": "secret", "expires_in": 60} if path == "/token" else {"value": []}
        return next(told) if path == "/token" else 200, {}, json.dumps(body).encode()

    with answering(replies) as (url, asked):
        web = Web(station("cadip", url, auth=oauth2(url)), wait_s=0.01)
        assert web.text("GET", httpx.URL(f"{url}/Sessions")).status_code == 200
        web.close()
        assert asked == ["/token", "/token", "/Sessions"]
    for status, kind in ((503, StationBusy), (400, LoginRefused), (200, LoginRefused)):
        with answering(lambda _method, _path, status=status: (status, {}, b"no token")) as (url, _):
            web = Web(station("cadip", url, auth=oauth2(url)), wait_s=0.01)
            with pytest.raises(kind) as error:
                web.text("GET", httpx.URL(f"{url}/Sessions"))
            web.close()
            assert error.value.retryable


def test_a_busy_station_says_when_it_wants_to_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", pauses.append)
    for headers in ({"Retry-After": "7"}, {"Retry-After": "86400"}, {"Retry-After": "Wed, 01 Jul"}, {}):
        with answering(lambda _method, _path, headers=headers: (503, headers, b"")) as (url, asked):
            web = Web(station("cadip", url), wait_s=0.5)
            with pytest.raises(StationBusy, match="503"):
                web.text("GET", httpx.URL(url))
            web.close()
            assert len(asked) == 3
    assert pauses[:4] == [7.0, 7.0, 30.0, 30.0]
    assert all(0.5 <= pause <= 2 for pause in pauses[4:])
    assert len(set(pauses[4:])) == 4, "no two clients come back at the same moment"


def test_what_is_said_of_a_station_that_is_not_there_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATION_PASSWORD", "open sesame")
    auth = {"kind": "basic", "user": "s2ps", "password_env": "STATION_PASSWORD"}
    web = Web(station("cadip", "http://127.0.0.1:9", auth=auth), wait_s=0.01)
    with pytest.raises(StationBusy) as error:
        web.text("GET", httpx.URL("http://127.0.0.1:9/Sessions"))
    web.close()
    assert "sesame" not in f"{error.value!r} {error.value.__cause__!r}"
