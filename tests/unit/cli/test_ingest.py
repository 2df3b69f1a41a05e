"""`s2ps ingest` and `s2ps sessions` beside a simulated station."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unit.ingestion.conftest import SESSION, simulated, virtual

from s2ps.cli.main import app
from s2ps.stations.timeline import Event
from s2ps.stations.xbip import serve

pytestmark = pytest.mark.integration


def test_a_session_is_fetched_and_what_is_missing_is_named(tmp_path: Path) -> None:
    late = Event(at=100, file="*ch2_DSDB_00002*")
    with serve(None, simulated(virtual(chunks=2, events=(late,)))) as station:
        where = {"name": "SGS", "kind": "xbip", "url": station.url, "min_free_gb": 0}
        (tmp_path / "stations.yaml").write_text(json.dumps([where]))
        home = ["--home", str(tmp_path)]
        first = CliRunner().invoke(app, ["ingest", *home, "--once"])
        assert (first.exit_code, "5 fetched" in first.output) == (0, True), first.output
        listed = CliRunner().invoke(app, ["sessions", *home])
        assert "channel 2: block 2 (not published, the DSIB lists it)" in listed.output
        station.advance(101)
        second = CliRunner().invoke(app, ["ingest", *home, "--station", "SGS", "--once"])
        assert f"complete: {SESSION}" in second.output
        details = CliRunner().invoke(app, ["sessions", SESSION, *home])
        assert "t0 2026-07-01T10:21:40.000000Z" in details.output
        station.misbehave(status_every=1, status=404)
        broken = CliRunner().invoke(app, ["ingest", *home, "--once"])
        assert broken.exit_code == 1
        assert "404" in broken.output


def test_a_dead_station_keeps_no_other_waiting_and_an_interrupt_ends_it(tmp_path: Path) -> None:
    where = (tmp_path / "in").as_uri()
    disk = {"name": "disk", "kind": "folder", "url": where, "nominal": "nothing", "poll_seconds": 0.1}
    dead = {"name": "dead", "kind": "xbip", "url": "http://127.0.0.1:9/", "poll_seconds": 0.1}
    (tmp_path / "stations.yaml").write_text(json.dumps([disk, dead]))
    program = [str(Path(sys.executable).with_name("s2ps")), "ingest", "--home", str(tmp_path)]
    command = ["env", "--default-signal=INT", *program]  # a shell lets what it runs in the background ignore it
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        said = ""
        try:
            while not ("disk: " in said and "dead: " in said):
                line = process.stdout.readline() if process.stdout else ""
                assert line, said
                said += line
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130


def test_a_fault_of_ours_in_one_station_ends_the_process_so_that_it_is_started_again(tmp_path: Path) -> None:
    disk = {"name": "disk", "kind": "folder", "url": (tmp_path / "in").as_uri(), "nominal": "", "poll_seconds": 0.1}
    (tmp_path / "in").mkdir()
    (tmp_path / "stations.yaml").write_text(json.dumps([disk, {**disk, "name": "odd"}]))
    program = (
        "from s2ps.ingestion.service import Ingestion\n"
        "poll = Ingestion.poll\n"
        "Ingestion.poll = lambda self, name: poll(self, name) if name == 'disk' else 1 / 0\n"
        "from s2ps.cli.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "ingest", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "ZeroDivisionError" in done.stderr
    assert "not polled any more" in done.stderr


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    nothing = CliRunner().invoke(app, ["ingest", *home, "--once"])
    assert nothing.exit_code == 2
    (tmp_path / "stations.yaml").write_text("- {name: SGS, kind: xbip, url: 'ftp://a'}\n")
    wrong = CliRunner().invoke(app, ["ingest", *home, "--once"])
    assert wrong.exit_code == 2
    assert CliRunner().invoke(app, ["sessions", "S2B_1", "--home", str(tmp_path / "new")]).exit_code == 2
