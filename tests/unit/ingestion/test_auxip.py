"""AUXIP: auxiliary files are seen within one poll, fetched once, checked, and handed on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from unit.ingestion.conftest import Poller, statements

from s2ps.formats import gipp
from s2ps.formats.eof_header import EofHeader
from s2ps.ingestion.source import TransferError
from s2ps.ingestion.stations import Station as StationOfOurs
from s2ps.model.errors import InputError
from s2ps.stations.auxip import serve
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Event, Timeline

pytestmark = pytest.mark.integration
START = datetime(2026, 7, 1, 10, tzinfo=UTC)
NAMES = tuple(f"S2__OPER_AUX_UT1UTC_PDMC_202606{day}T000000_V20260625T000000_20260814T000000" for day in (21, 22, 23))
LATE = Event(at=100, file=f"{NAMES[2]}*")


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "content"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.txt").write_text(f"bulletin {name}" * 50)
    return folder


def timeline(*events: Event) -> Timeline:
    return Timeline(start=START, manual=True, events=events)


def keeping(taken: dict[str, bytes]) -> Callable[[Path], None]:
    def accept(path: Path) -> None:
        taken[path.name] = path.read_bytes()

    return accept


def test_the_default_is_a_poll_every_minute() -> None:
    assert StationOfOurs(name="adgs", kind="auxip", url="https://auxip.example/odata/v1").poll_s == 60


@pytest.mark.parametrize(("names", "given"), [("icd", {}), ("lower", {"PublicationDate": "creationDate"})])
@pytest.mark.parametrize("page_size", [0, 1])
def test_a_new_file_is_seen_within_one_poll(
    ingestion: Poller, content: Path, tmp_path: Path, names: Any, given: dict[str, str], page_size: int
) -> None:
    settings = StationSettings(timeline=timeline(LATE), names=names, page_size=page_size)
    with serve(content, settings) as station:
        taken: dict[str, bytes] = {}
        service = ingestion(station, "auxip", names=given, page=1)
        service._accept = keeping(taken)
        first = service.poll("station", START + timedelta(seconds=1))
        assert sorted(first.completed) == [f"{name}.TGZ" for name in NAMES[:2]]
        assert service.poll("station", START + timedelta(seconds=60)).fetched == 0
        station.advance(101)
        again = ingestion(station, "auxip", names=given)
        again._accept = keeping(taken)
        assert again.poll("station", START + timedelta(seconds=120)).completed == [f"{NAMES[2]}.TGZ"]
        for file in station.pickup.files:
            assert taken[file.name] == file.content.read(0, file.content.size)
        assert not [path for path in (tmp_path / "home/auxiliary_arrived").rglob("*") if path.is_file()]


def test_what_arrives_is_taken_into_the_inventory(ingestion: Poller, tmp_path: Path) -> None:
    folder = tmp_path / "content"
    folder.mkdir()
    header = EofHeader("S2B", "GIP_CONVER", datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    gipp.write_gipp(folder / (header.name + ".xml"), header, gipp.Settings((gipp.Setting("a", "b"),)))
    with serve(folder, StationSettings(timeline=timeline())) as station:
        assert ingestion(station, "auxip").poll("station", START).completed == [f"{header.name}.TGZ"]
    assert [path.name for path in (tmp_path / "home/auxiliary").rglob("*.xml")] == [header.name + ".xml"]


def downloads(station: Station) -> int:
    return sum(path.endswith("/$value") for _, path in station.log)


def test_products_that_are_listed_late_are_seen(ingestion: Poller, content: Path) -> None:
    """What is dated within the overlap is seen by the next poll, what lies behind it by the look at everything."""
    late = (Event(at=4000, dated=3000, file=f"{NAMES[1]}*"), Event(at=4000, dated=60, file=f"{NAMES[2]}*"))
    with serve(content, StationSettings(timeline=timeline(Event(at=3900, file=f"{NAMES[0]}*"), *late))) as station:
        service = ingestion(station, "auxip")
        service._accept = keeping({})
        station.advance(3900)
        assert service.poll("station", START + timedelta(seconds=3910)).completed == [f"{NAMES[0]}.TGZ"]
        station.advance(100)
        assert service.poll("station", START + timedelta(seconds=4010)).completed == [f"{NAMES[1]}.TGZ"]
        assert service.poll("station", START + timedelta(seconds=4070)).completed == []
        assert service.poll("station", START + timedelta(seconds=4520)).completed == [f"{NAMES[2]}.TGZ"]


@pytest.mark.parametrize("files", [1, 4])
def test_what_is_listed_several_times_is_fetched_once(ingestion: Poller, content: Path, files: int) -> None:
    behaviour = {"duplicates": True}
    with serve(content, StationSettings(timeline=timeline(), page_size=2, misbehaviour=behaviour)) as station:
        service = ingestion(station, "auxip", files=files)
        service._accept = keeping({})
        assert sorted(service.poll("station", START).completed) == [f"{name}.TGZ" for name in NAMES]
        assert service.poll("station", START + timedelta(seconds=60)).fetched == 0
        assert downloads(station) == 3
        assert {item.state for item in service.arrivals.products("station").values()} == {"complete"}
        assert len(service.arrivals.products("station")) == 6


def test_a_product_that_is_published_again_is_fetched_when_its_bytes_are_others(
    ingestion: Poller, content: Path
) -> None:
    again = tuple(Event(at=at, file=f"{NAMES[0]}*", variant=variant) for at, variant in ((0, 0), (100, 1), (200, 1)))
    with serve(content, StationSettings(timeline=timeline(*again))) as station:
        taken: dict[str, bytes] = {}
        service = ingestion(station, "auxip")
        service._accept = keeping(taken)
        assert service.poll("station", START).fetched == 3
        first = taken[f"{NAMES[0]}.TGZ"]
        station.advance(101)
        assert service.poll("station", START + timedelta(seconds=110)).completed == [f"{NAMES[0]}.TGZ"]
        assert taken[f"{NAMES[0]}.TGZ"] != first
        station.advance(100)
        assert service.poll("station", START + timedelta(seconds=210)).fetched == 0
        assert downloads(station) == 4


def test_tokens_that_expire_between_pages_and_downloads(
    ingestion: Poller, content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATION_SECRET", "open sesame")
    login: dict[str, Any] = {"user": "s2ps", "password": SecretStr("open sesame"), "oauth2": True}
    with serve(content, StationSettings(timeline=timeline(), page_size=1, **login)) as station:
        station.misbehave(revoke_every=2)
        auth = {
            "kind": "oauth2",
            "token_url": station.token_url,
            "client_id": "s2ps",
            "secret_env": "STATION_SECRET",
        }
        service = ingestion(station, "auxip", auth=auth, parallel=1)
        service._accept = keeping({})
        assert service.poll("station", START).fetched == 3
        assert station.log.count(("POST", "/token")) > 3


def test_the_disk_is_not_filled_with_auxiliary_files(ingestion: Poller, content: Path) -> None:
    with serve(content, StationSettings(timeline=timeline())) as station:
        service = ingestion(station, "auxip", min_free_gb=1e9)
        service._accept = keeping({})
        report = service.poll("station", START)
        assert (report.disk_full, report.fetched, report.problems) == (True, 0, [])
        emptied = ingestion(station, "auxip")
        emptied._accept = keeping({})
        assert emptied.poll("station", START + timedelta(seconds=5000)).fetched == 3


def test_a_wrong_checksum_is_not_accepted(ingestion: Poller, content: Path) -> None:
    with serve(content, StationSettings(timeline=timeline(), misbehaviour={"wrong_checksum": True})) as station:
        service = ingestion(station, "auxip")
        service._accept = keeping({})
        report = service.poll("station", START)
        assert (report.completed, len(report.problems)) == ([], 3)
        assert "published checksum md5:0000" in report.problems[0]
        station.misbehave(wrong_checksum=False)
        assert service.poll("station", START + timedelta(seconds=60)).fetched == 3


def test_what_is_refused_is_remembered(ingestion: Poller, content: Path) -> None:
    taken: list[str] = []

    def accept(path: Path) -> None:
        taken.append(path.name)
        raise InputError(f"{path.name} is no archive")

    with serve(content, StationSettings(timeline=timeline())) as station:
        service = ingestion(station, "auxip")
        service._accept = accept
        assert len(service.poll("station", START).problems) == 3
        assert service.poll("station", START + timedelta(seconds=60)).problems == []
        assert len(taken) == 3


def test_a_station_whose_clock_goes_back(ingestion: Poller, content: Path) -> None:
    with serve(content, StationSettings(timeline=timeline(LATE))) as station:
        service = ingestion(station, "auxip")
        service._accept = keeping({})
        assert service.poll("station", START).fetched == 2
        station.misbehave(clock_offset=-3 * 86_400.0)
        station.advance(101)
        assert f"{NAMES[2]}.TGZ" in service.poll("station", START + timedelta(seconds=700)).completed


def test_a_product_that_keeps_failing_holds_nothing_up(ingestion: Poller, content: Path) -> None:
    """The window goes on; the product is tried again after 1, 1, 2, 4, 8 minutes, though it is not listed any more."""
    attempts: list[int] = []
    with serve(content, StationSettings(timeline=timeline(LATE))) as station:
        station.advance(101)
        service = ingestion(station, "auxip", overlap_seconds=0)
        minute, healed = 0, False

        def accept(path: Path) -> None:
            if path.name.startswith(NAMES[0]):
                attempts.append(minute)
                if not healed:
                    raise TransferError(f"{path.name} broke")

        service._accept = accept
        assert len(service.poll("station", START + timedelta(seconds=101)).completed) == 2
        for minute in range(1, 10):
            assert service.poll("station", START + timedelta(seconds=101, minutes=minute)).listed == 1
        assert attempts == [0, 1, 2, 4, 8]
        healed = True
        for minute in (11, 16):
            report = service.poll("station", START + timedelta(seconds=101, minutes=minute))
        assert (report.listed, report.completed) == (1, [f"{NAMES[0]}.TGZ"])
        minute = 17
        assert service.poll("station", START + timedelta(seconds=101, minutes=minute)).fetched == 0
        assert attempts[-1] == 16


def test_a_poll_asks_only_for_what_it_needs(ingestion: Poller, content: Path) -> None:
    with serve(content, StationSettings(timeline=timeline())) as station:
        service = ingestion(station, "auxip")
        service._accept = keeping({})
        asked = statements(service.inventory)
        service.poll("station", START)
        found = [text for text in asked if "FROM arriving_products" in text]
        assert found
        assert [text for text in found if "name IN" not in text and "state =" not in text] == []
