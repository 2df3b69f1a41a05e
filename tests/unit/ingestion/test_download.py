"""The download engine: any file, any pieces, any break; and what is told to whom."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s2ps.ingestion.budget import Budget
from s2ps.ingestion.checks import AHEAD, PATIENCE_S, RunningChecksum, strongest
from s2ps.ingestion.download import Engine, Wanted, forget
from s2ps.ingestion.pieces import Pieces
from s2ps.ingestion.source import ChangedAtStation, TransferError
from s2ps.ingestion.stations import Station
from s2ps.ingestion.web import Web
from s2ps.ingestion.web_source import WebSource
from s2ps.model.errors import InputError, S2psError

pytestmark = pytest.mark.unit
DATE = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


class Memory:
    """A file in memory that breaks after some bytes, as often as told."""

    largest_piece = None

    def __init__(self, data: bytes, breaks: list[int]) -> None:
        self.data, self.breaks = data, breaks
        self.sent = 0
        self.lock = threading.Lock()

    def read(self, offset: int, length: int) -> Iterator[bytes]:
        with self.lock:
            left = self.breaks.pop() if self.breaks else None
        for place in range(offset, offset + length, 7):
            block = self.data[place : min(place + 7, offset + length)]
            if left is not None and (left := left - len(block)) < 0:
                raise TransferError("broken on purpose")
            self.sent += len(block)
            yield block

    def close(self) -> None:
        """Nothing."""


@settings(max_examples=60, deadline=None)
@given(
    data=st.binary(max_size=400),
    piece=st.integers(1, 150),
    parallel=st.integers(1, 5),
    breaks=st.lists(st.integers(0, 100), max_size=8),
)
def test_whatever_breaks_the_file_arrives_whole(data: bytes, piece: int, parallel: int, breaks: list[int]) -> None:
    with TemporaryDirectory() as folder:
        target = Path(folder) / "file"
        wanted = Wanted(target, "one", len(data), DATE, f"sha256:{hashlib.sha256(data).hexdigest()}")
        source = Memory(data, list(breaks))
        for _ in range(len(breaks) + 1):
            assert not target.exists()
            try:
                assert Engine(parallel, piece).fetch(source, wanted)
                break
            except TransferError:
                continue
        assert target.read_bytes() == data
        assert target.stat().st_mtime == DATE.timestamp()
        assert sorted(path.name for path in Path(folder).iterdir()) == [".file.edition", "file"]


def test_pieces_that_are_here_are_not_asked_for_again(tmp_path: Path) -> None:
    data = bytes(range(100))
    wanted = Wanted(tmp_path / "file", "one", 100, DATE)
    with pytest.raises(TransferError):
        Engine(1, 10).fetch(Memory(data, [3, 50, 50, 50]), wanted)
    source = Memory(data, [3, 50, 50, 50])
    with pytest.raises(TransferError):
        Engine(1, 10).fetch(source, wanted)
    again = Memory(data, [])
    Engine(1, 10).fetch(again, wanted)
    assert again.sent < 100
    assert (tmp_path / "file").read_bytes() == data


def test_another_edition_begins_anew_and_the_same_is_not_fetched_twice(tmp_path: Path) -> None:
    one, two = b"1" * 50, b"2" * 50
    with pytest.raises(TransferError):
        Engine(1, 10).fetch(Memory(one, [50, 3]), Wanted(tmp_path / "file", "one", 50, DATE))
    source = Memory(two, [])
    wanted = Wanted(tmp_path / "file", "two", 50, DATE)
    Engine(1, 10).fetch(source, wanted)
    assert (tmp_path / "file").read_bytes() == two
    Engine(1, 10).fetch(source, wanted)
    assert source.sent == 50


def test_a_wrong_checksum_never_arrives(tmp_path: Path) -> None:
    wanted = Wanted(tmp_path / "file", "one", 5, DATE, "md5:" + "0" * 32)
    with pytest.raises(TransferError, match="published checksum"):
        Engine(2, 2).fetch(Memory(b"12345", []), wanted)
    assert not (tmp_path / "file").exists()


def until(true: Callable[[], bool]) -> None:
    """Wait for something; fail when it does not come."""
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_transfer_waits_for_a_sum_that_cannot_keep_up_and_for_no_piece_that_is_missing(tmp_path: Path) -> None:
    """The sum stands at piece 0 until all others have done what they may: they stop when it is AHEAD behind."""
    count = 4 * AHEAD
    reached, go_on = threading.Event(), threading.Event()
    (tmp_path / "file").write_bytes(bytes(count))
    pieces = Pieces.open(tmp_path / "journal", "one", count, 1)
    told: list[int] = []

    class Slow:
        def update(self, data: bytes | memoryview) -> None:
            reached.set()
            assert go_on.wait(20)

        def hexdigest(self) -> str:
            return "sum"

    with (tmp_path / "file").open("rb") as stream:
        checksum = RunningChecksum("md5:sum", stream.fileno(), pieces)
        checksum._hash = Slow()

        def work() -> None:
            for index in (2, 1, *range(3, count)):
                pieces.keep(index)
                checksum.advance()
                told.append(index)

        pieces.keep(0)
        first, other = threading.Thread(target=checksum.advance), threading.Thread(target=work)
        first.start()
        assert reached.wait(20)
        other.start()
        until(lambda: AHEAD in pieces.done)
        other.join(2 * PATIENCE_S)
        assert told == [2, 1, *range(3, AHEAD)], "the piece that makes it AHEAD behind waits, none before"
        go_on.set()
        first.join(20)
        other.join(20)
        assert len(told) == count - 1
        assert checksum.agrees()


def test_what_is_inspected_and_refused_leaves_nothing(tmp_path: Path) -> None:
    def inspect(path: Path) -> None:
        raise InputError(f"{path.stat().st_size} bytes of malware")

    with pytest.raises(InputError, match="5 bytes of malware"):
        Engine(1, 2, inspect=inspect).fetch(Memory(b"12345", []), Wanted(tmp_path / "file", "one", 5, DATE))
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_by_one_at_a_time(tmp_path: Path) -> None:
    wanted = Wanted(tmp_path / "file", "one", 5, DATE)
    told: list[bool] = []

    class Meeting(Memory):
        def read(self, offset: int, length: int) -> Iterator[bytes]:
            told.append(Engine(1, 5).fetch(Memory(b"54321", []), wanted))
            yield from super().read(offset, length)

    assert Engine(1, 5).fetch(Meeting(b"12345", []), wanted)
    assert told == [False]
    assert (tmp_path / "file").read_bytes() == b"12345"


def test_a_journal_that_a_crash_has_cut(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    pieces = Pieces.open(journal, "one", 1000, 10)
    for index in (1, 2, 37):
        pieces.keep(index)
    journal.write_bytes(journal.read_bytes()[:-2])
    found = Pieces.open(journal, "one", 1000, 10)
    assert found.done <= {1, 2, 3, 37}
    assert Pieces.open(journal, "two", 1000, 10).done == set()


def test_killed_right_after_the_rename_the_file_is_never_taken_for_whole_without_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(range(1, 101))
    engine, wanted = Engine(2, 10), Wanted(tmp_path / "file", "one", 100, DATE)

    def killed(target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("s2ps.ingestion.download._marker", killed)
        with pytest.raises(KeyboardInterrupt):
            engine.fetch(Memory(data, []), wanted)
    assert (tmp_path / "file").read_bytes() == data
    assert engine.fetch(Memory(data, []), wanted)
    assert (tmp_path / "file").read_bytes() == data


def test_a_journal_without_its_bytes_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has removed the file on its way, or the machine went down before the disk had all of it."""
    data = bytes(range(1, 101))
    engine, wanted = Engine(1, 10), Wanted(tmp_path / "file", "one", 100, DATE)
    for loss in ("file", "start", ""):
        source = Memory(data, [3, *(1000,) * 5])
        with pytest.raises(TransferError):
            engine.fetch(source, wanted)
        if loss == "file":
            (tmp_path / ".file.part").unlink()
        if loss == "start":
            monkeypatch.setattr("s2ps.ingestion.pieces.boot_id", lambda: "another start")
        again = Memory(data, [])
        assert engine.fetch(again, wanted)
        assert again.sent == (100 if loss else 50)
        assert (tmp_path / "file").read_bytes() == data
        forget(tmp_path / "file")


def test_a_budget_is_kept_by_all_threads_together() -> None:
    now, slept = [0.0], []
    budget = Budget(100.0, clock=lambda: now[0], sleep=slept.append)
    for _ in range(3):
        budget.spend(50)
    assert slept == [0.5, 1.0, 1.5]
    now[0] = 10.0
    budget.spend(10)
    assert slept[-1] == pytest.approx(0.1)


def test_the_best_checksum_that_can_be_computed() -> None:
    assert strongest([("MD5", "AB"), ("BLAKE3", "cd"), ("SHA3-256", "ef")]) == "sha3_256:ef"
    assert strongest([("BLAKE3", "cd")]) == ""


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers as the test says, and remembers what it was asked."""

    asked: list[tuple[str, dict[str, str]]]
    location = ""

    def do_GET(self) -> None:
        self.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        body = b"0123456789"
        if self.location:
            self.send_response(307)
            self.send_header("Location", self.location)
            body = b""
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def answering(location: str = "") -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    asked: list[tuple[str, dict[str, str]]] = []
    handler = type("Handler", (Answer,), {"asked": asked, "location": location})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("header", ["authorization", "oauth2-access-token"])
def test_a_redirect_to_another_host_gets_no_credentials(monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("STATION_SECRET", "open sesame")
    with answering() as (other, other_asked), answering(f"{other}/signed?sig=1") as (own, own_asked):
        auth = {"kind": "oauth2", "token_url": f"{own}/token", "client_id": "s2ps", "header": header}
        station = Station.model_validate({"name": "one", "kind": "cadip", "url": own, "auth": auth})
        web = Web(station)
        monkeypatch.setattr(web._auth, "_fetch", lambda: _token("secret-token"))
        source = WebSource(web, httpx.URL(f"{own}/Files(1)/$value"), 10)
        assert b"".join(map(bytes, source.read(0, 10))) == b"0123456789"
        web.close()
        assert "secret-token" in own_asked[0][1][header]
        assert other_asked[0][0] == "/signed?sig=1"
        assert not [value for value in other_asked[0][1].values() if "secret-token" in value]


def _token(text: str) -> object:
    from s2ps.ingestion.auth import Token

    return Token(text, 1e12)


def test_a_redirect_without_end_and_one_to_a_place_that_is_no_web() -> None:
    for location in ("/again", "file:///etc/passwd"):
        with answering(location) as (own, _):
            web = Web(Station.model_validate({"name": "one", "kind": "cadip", "url": own}))
            with pytest.raises(S2psError, match=r"redirects|broke|protocol"):
                list(WebSource(web, httpx.URL(own), 10).read(0, 3))
            web.close()


def test_a_server_that_ignores_ranges_is_asked_for_the_whole_file(tmp_path: Path) -> None:
    with answering() as (own, asked):
        web = Web(Station.model_validate({"name": "one", "kind": "cadip", "url": own}))
        wanted = Wanted(tmp_path / "file", "one", 10, DATE)
        assert Engine(1, 2).fetch(WebSource(web, httpx.URL(own), 10), wanted)
        web.close()
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert [headers["range"] for _, headers in asked] == ["bytes=0-1", "bytes=0-9"]


def test_a_file_that_has_another_size_now() -> None:
    with answering() as (own, _):
        web = Web(Station.model_validate({"name": "one", "kind": "cadip", "url": own}))
        with pytest.raises(ChangedAtStation, match="has 10 bytes now, 11 were listed"):
            list(WebSource(web, httpx.URL(own), 11).read(0, 3))
        web.close()
