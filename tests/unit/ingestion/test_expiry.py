"""Raw data go when their time is over; their session is not fetched again."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unit.ingestion.conftest import SESSION, START, Poller, assert_arrived, simulated, virtual

from s2ps.cli.main import app
from s2ps.ingestion.expiry import Expiry
from s2ps.ingestion.service import Ingestion
from s2ps.inventory.records import RunRecord
from s2ps.model.errors import InputError
from s2ps.production import Production
from s2ps.stations.timeline import Event
from s2ps.stations.xbip import serve

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
LATER = START + 20 * DAY


def cut(service: Ingestion, at: datetime) -> None:
    """Leave what a run leaves that has found nothing in the session."""
    service.inventory.register_run(RunRecord(f"{SESSION}/L0U/1", "session", SESSION, "x", "L0U", "success", at, at))


def test_raw_data_go_and_the_session_is_not_fetched_again(ingestion: Poller, tmp_path: Path) -> None:
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip")
        assert service.poll("station", START).completed == [SESSION]
        folder, expiry = tmp_path / "home/sessions" / SESSION, Expiry(service.inventory, service.folders)
        assert list(expiry.expire(LATER)) == [], "nobody has made anything of it"
        cut(service, START)
        assert list(expiry.expire(START)) == []
        assert_arrived(folder, station)
        assert list(expiry.expire(LATER)) == [SESSION]
        assert not folder.exists()
        assert list(expiry.expire(LATER)) == []
        report = ingestion(station, "xbip").poll("station", LATER)
        assert (report.fetched, report.completed, report.problems) == (0, [], [])
        assert not folder.exists()
        assert service.inventory.session(SESSION).t0
        with pytest.raises(InputError, match=r"raw data of session .* were removed"):
            Production(service.settings).register_session(folder)


def test_a_session_that_a_run_takes_stays(ingestion: Poller, tmp_path: Path) -> None:
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip")
        service.poll("station", START)
        cut(service, START)
        Production(service.settings).register_session(tmp_path / "home/sessions" / SESSION)
        expiry = Expiry(service.inventory, service.folders)
        assert list(expiry.expire(datetime.now(UTC) + DAY)) == []
        cut(service, datetime.now(UTC))
        assert list(expiry.expire(datetime.now(UTC) + DAY)) == [SESSION]


def test_files_of_a_session_that_was_given_up_go_and_come_again(ingestion: Poller, tmp_path: Path) -> None:
    late = Event(at=100, file="*ch2_DSDB_00004*")
    with serve(None, simulated(virtual(events=(late,)))) as station:
        service = ingestion(station, "xbip", give_up_days=3)
        service.poll("station", START)
        expiry = Expiry(service.inventory, service.folders)
        assert list(expiry.expire(LATER)) == [], "it is being received"
        assert list(service.poll("station", START + 4 * DAY).abandoned) == [SESSION]
        assert list(expiry.expire(LATER)) == [SESSION]
        assert not (tmp_path / "home/sessions/.arriving" / SESSION).exists()
        assert service.poll("station", START + 5 * DAY).fetched == 0
        station.advance(101)
        service.poll("station", START + 6 * DAY)
        assert service.poll("station", START + 6 * DAY).completed == [SESSION]
        assert_arrived(tmp_path / "home/sessions" / SESSION, station)


KILLED = """
import os, shutil, signal, sys
from datetime import datetime
from pathlib import Path
from s2ps.ingestion.arriving import ArrivalFolders
from s2ps.ingestion.expiry import Expiry
from s2ps.inventory.raw_data import RawData
from s2ps.inventory.store import Inventory

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "hidden":
    RawData.expire = die
else:
    shutil.rmtree = die
home, before = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[3])
list(Expiry(Inventory(home / "inventory.sqlite"), ArrivalFolders(home / "sessions")).expire(before))
"""


@pytest.mark.parametrize("moment", ["hidden", "marked"])
def test_killed_while_raw_data_go(ingestion: Poller, tmp_path: Path, moment: str) -> None:
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip")
        service.poll("station", START)
        cut(service, START)
        home = tmp_path / "home"
        command = [sys.executable, "-c", KILLED, str(home), moment, LATER.isoformat()]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        hidden = home / "sessions/.expired" / SESSION
        assert hidden.is_dir()
        assert service.poll("station", LATER).fetched == 0
        expiry = Expiry(service.inventory, service.folders)
        if moment == "hidden":
            assert list(expiry.expire(START)) == []
            assert_arrived(home / "sessions" / SESSION, station)
        else:
            (home / "sessions" / SESSION).mkdir()
            assert list(expiry.expire(LATER)) == []
            assert (home / "sessions" / SESSION).is_dir(), "put there again by hand"
        assert not hidden.exists()


def test_the_command_tells_and_removes(ingestion: Poller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S2PS_SESSION_DAYS", raising=False)
    with serve(None, simulated(virtual())) as station:
        service = ingestion(station, "xbip")
        service.poll("station", START)
    cut(service, START)
    home = ["--home", str(tmp_path / "home")]
    assert CliRunner().invoke(app, ["sessions", "expire", *home]).exit_code == 2
    told = CliRunner().invoke(app, ["sessions", "expire", "--older-than-days", "1", "--dry-run", *home])
    assert (told.exit_code, SESSION in told.output) == (0, True), told.output
    assert (tmp_path / "home/sessions" / SESSION).is_dir()
    monkeypatch.setenv("S2PS_SESSION_DAYS", "1")
    done = CliRunner().invoke(app, ["sessions", "expire", *home])
    assert "raw data of 1 sessions removed" in done.output
    assert not (tmp_path / "home/sessions" / SESSION).exists()
    assert "expired" in CliRunner().invoke(app, ["sessions", *home]).output
