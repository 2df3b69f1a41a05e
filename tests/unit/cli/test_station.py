"""`s2ps station` as a process: it tells its address, serves, and ends when it is told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner
from unit.stations.sessions import SESSION, block, data, write_session

from s2ps.cli.main import app

pytestmark = pytest.mark.integration
PROGRAM = Path(sys.executable).with_name("s2ps")


def started(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    command = [str(PROGRAM), "station", *arguments, "--user", "me", "--password-env", "STATION_PASSWORD"]
    process = subprocess.Popen(
        command, env={**os.environ, "STATION_PASSWORD": "right"}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    found = re.search(r"url=(\S+)", process.stdout.readline())
    assert found
    return process, found[1]


def test_a_station_serves_until_it_is_ended(tmp_path: Path) -> None:
    timeline = tmp_path / "timeline.json"
    timeline.write_text('{"start": "2026-07-01T10:20:00Z"}')
    content = write_session(tmp_path / "session")
    process, url = started("--content", str(content), "--timeline", str(timeline), "--misbehave", "no_ranges")
    try:
        path = f"{url}/NOMINAL/S2B/DCS_05_{SESSION}_dat/ch_1/{block(1, 2)}"
        assert httpx.get(path).status_code == 401
        got = httpx.get(path, auth=("me", "right"), headers={"Range": "bytes=1-2"})
        assert (got.status_code, got.content) == (200, data(1, 2))
        assert got.headers["last-modified"] == "Wed, 01 Jul 2026 10:20:00 GMT"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--misbehave", "stutter=1"), "stutter"),
        (("--misbehave", "rate=fast"), "rate"),
        (("--set", "tsl=true"), "tsl"),
        (("--password-env", "S2PS_NO_SUCH_VARIABLE"), "S2PS_NO_SUCH_VARIABLE"),
        ((), "nothing to publish"),
    ],
)
def test_what_cannot_be_is_told(arguments: tuple[str, ...], told: str) -> None:
    result = CliRunner().invoke(app, ["station", *arguments])
    assert result.exit_code == 2
    assert told in result.stderr
