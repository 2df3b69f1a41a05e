"""Several processes, some of them killed: a session is fetched and registered once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from unit.ingestion.conftest import SESSION, START, assert_arrived, simulated, virtual

from s2ps.inventory.arrivals import Arrivals
from s2ps.inventory.store import Inventory
from s2ps.production import Production
from s2ps.settings import Settings
from s2ps.stations.station import Station
from s2ps.stations.xbip import serve

pytestmark = pytest.mark.integration
PATIENCE_S = 120


def station_file(home: Path, station: Station, **values: object) -> None:
    home.mkdir(parents=True, exist_ok=True)
    settings = {"name": "station", "kind": "xbip", "url": station.url, "min_free_gb": 0, "piece_mb": 1, **values}
    (home / "stations.yaml").write_text(json.dumps([settings]))


def start(home: Path, *dying: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("polling.py")), str(home), SESSION, *dying]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def words(text: str, what: str) -> list[list[str]]:
    return [line.split()[1:] for line in text.splitlines() if line.startswith(what)]


def test_two_processes_fetch_and_register_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serve(None, simulated(virtual(chunks=6, chunk_bytes=300_000))) as station:
        station_file(home, station)
        both = [start(home) for _ in range(2)]
        said = [process.communicate(timeout=PATIENCE_S)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0]
        assert [line for text in said for line in words(text, "completed")] == [[SESSION]]
        fetched = sum(int(line[0]) for text in said for line in words(text, "fetched"))
        assert fetched == 14
        downloads = [path for method, path in station.log if method == "GET"]
        assert len(downloads) == len(set(downloads)) == 14
        assert_arrived(home / "sessions" / SESSION, station)


def test_killed_in_the_middle_of_a_file_it_goes_on_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serve(None, simulated(virtual(chunks=1, channels=2, chunk_bytes=24 << 20))) as station:
        station_file(home, station)
        station.misbehave(rate=4_000_000)
        process = start(home)
        journals = home / "sessions/.arriving"
        limit = time.monotonic() + PATIENCE_S
        while pieces(journals) < 3:
            assert time.monotonic() < limit
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
        kept = pieces(journals)
        asked = len([path for method, path in station.log if method == "GET"])
        station.misbehave(rate=0)
        again = start(home)
        said = again.communicate(timeout=PATIENCE_S)[0]
        assert (again.returncode, words(said, "completed")) == (0, [[SESSION]])
        more = len([path for method, path in station.log if method == "GET"]) - asked
        whole = sum(-(-path.stat().st_size // (1 << 20)) for path in (home / "sessions").rglob("*.raw")) + 2
        assert more <= whole - kept
        assert_arrived(home / "sessions" / SESSION, station)
        settings = Settings.load(home)
        inventory = Inventory(settings.inventory_location)
        assert [record.id for record in inventory.sessions()] == [SESSION]
        assert Arrivals(inventory).announce(SESSION, "one", START)
        assert not Arrivals(inventory).announce(SESSION, "two", START)
        assert Arrivals(inventory).not_announced() == ()


def pieces(folder: Path) -> int:
    """Return how many pieces the journals count."""
    found = 0
    for path in folder.rglob("*.pieces"):
        try:
            found += sum(line.isdecimal() for line in path.read_text().splitlines())
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_around_the_registration(tmp_path: Path, moment: str) -> None:
    """A child dies where the session folder moves; the next process registers it."""
    home = tmp_path / "home"
    with serve(None, simulated(virtual(chunks=2))) as station:
        station_file(home, station)
        dying = start(home, moment)
        dying.communicate(timeout=PATIENCE_S)
        assert dying.returncode == -signal.SIGKILL
        assert (home / "sessions" / SESSION).exists() == (moment == "after")
        assert Inventory(Settings.load(home).inventory_location).sessions() == ()
        said = start(home).communicate(timeout=PATIENCE_S)[0]
        assert words(said, "completed") == [[SESSION]]
        assert_arrived(home / "sessions" / SESSION, station)
        settings = Settings.load(home)
        record = Production(settings).register_session(home / "sessions" / SESSION)
        assert record.t0 == START
