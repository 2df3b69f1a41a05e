"""EDIP, asked by ftplib and curl."""

from __future__ import annotations

import ftplib
import shutil
import ssl
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from unit.stations.sessions import SESSION, block, data

from s2ps.stations import edip
from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Timeline

pytestmark = pytest.mark.unit
FOLDER = f"/NOMINAL/S2B/DCS_05_{SESSION}_dat/ch_1"
FILE = f"{FOLDER}/{block(1, 2)}"
SETTINGS = StationSettings(user="s2ps", password=SecretStr("right"))


class Client(ftplib.FTP_TLS):
    """Trusts the certificate of the station and protects both channels."""

    def __init__(self, station: Station, login: tuple[str, str] = ("s2ps", "right")) -> None:
        super().__init__(context=ssl.create_default_context(cafile=station.certificate), timeout=30)
        parts = urlsplit(station.url)
        self.connect(parts.hostname or "", parts.port or 0)
        try:
            self.login(*login)
            self.prot_p()
        except ftplib.Error:
            self.close()
            raise

    def fetch(self, path: str, rest: int | None = None) -> bytes:
        got: list[bytes] = []
        self.retrbinary(f"RETR {path}", got.append, rest=rest)
        return b"".join(got)


def test_folders_sizes_dates_and_bytes(content: Path) -> None:
    with edip.serve(content, SETTINGS) as station, Client(station) as client:
        assert {name for name, _ in client.mlsd("/")} == {"NOMINAL", "RETRANSFER"}
        facts = dict(client.mlsd(FOLDER, ["type", "size", "modify"]))
        assert facts[block(1, 2)] == {"type": "file", "size": str(len(data(1, 2))), "modify": "20260701103101"}
        assert len(facts) == 4
        lines: list[str] = []
        client.dir(FOLDER, lines.append)
        assert sum(block(1, 2) in line for line in lines) == 1
        assert client.fetch(FILE) == data(1, 2)
        assert client.fetch(FILE, rest=100) == data(1, 2)[100:]
        client.cwd(FOLDER)
        assert client.size(block(1, 1)) == len(data(1, 1))
        with pytest.raises(ftplib.error_perm):
            client.delete(block(1, 1))
        with pytest.raises(ftplib.error_perm):
            client.fetch("/etc/passwd")
        with pytest.raises(ftplib.error_perm):
            client.fetch("../../../../../../etc/passwd")


def test_who_is_let_in(content: Path) -> None:
    with edip.serve(content, SETTINGS) as station:
        with pytest.raises(ftplib.error_perm, match="530"):
            Client(station, ("s2ps", "wrong"))
        parts = urlsplit(station.url)
        with ftplib.FTP() as plain:  # noqa: S321
            plain.connect(parts.hostname or "", parts.port or 0)
            with pytest.raises(ftplib.error_perm, match="550"):
                plain.login("s2ps", "right")


def test_curl_downloads_a_range(content: Path, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with edip.serve(content, SETTINGS) as station:
        command = [curl, "-sS", "--ssl-reqd", "--cacert", str(station.certificate), "-u", "s2ps:right", "-r", "5-"]
        subprocess.run([*command, "-o", str(tmp_path / "got"), station.url + FILE], check=True)
    assert (tmp_path / "got").read_bytes() == data(1, 2)[5:]


def test_misbehaviour(content: Path) -> None:
    behaviour = Misbehaviour(status_every=2, status_on="download", clock_offset=60, wrong_length=3)
    settings = SETTINGS.model_copy(update={"misbehaviour": behaviour})
    with edip.serve(content, settings) as station:
        with Client(station) as client:
            assert client.fetch(FILE) == data(1, 2)
            with pytest.raises(ftplib.error_temp, match="451"):
                client.fetch(FILE)
            facts = dict(client.mlsd(FOLDER, ["size", "modify"]))[block(1, 2)]
            assert facts == {"size": str(len(data(1, 2)) + 3), "modify": "20260701103201"}
            station.misbehave(status_every=0, no_ranges=True)
            with pytest.raises(ftplib.error_perm, match="502"):
                client.fetch(FILE, rest=5)
        station.misbehave(no_ranges=False, cut_after=1000)
        client = Client(station)
        with pytest.raises((ftplib.error_temp, OSError)):
            client.fetch(FILE)
        client.close()


def test_a_file_appears_when_its_time_has_come(content: Path) -> None:
    settings = SETTINGS.model_copy(update={"timeline": Timeline(manual=True, seconds=30)})
    with edip.serve(content, settings) as station, Client(station) as client:
        assert not list(client.mlsd("/NOMINAL"))
        station.advance(10)
        assert [name for name, _ in client.mlsd(FOLDER)] == [block(1, 1)]
