"""XBIP, asked by httpx and curl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from lxml import etree
from pydantic import SecretStr
from unit.stations.sessions import SESSION, block, data, write_session

from s2ps.model.errors import ConfigurationError
from s2ps.stations import xbip
from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.settings import StationSettings
from s2ps.stations.timeline import Event, Timeline

pytestmark = pytest.mark.unit
DAV = "{DAV:}"
FOLDER = f"/NOMINAL/S2B/DCS_05_{SESSION}_dat/ch_1"
FILE = f"{FOLDER}/{block(1, 2)}"


def listing(url: str, depth: str = "infinity", **more: object) -> dict[str, int | None]:
    answer = httpx.request("PROPFIND", url, headers={"Depth": depth}, **more)  # type: ignore[arg-type]
    assert answer.status_code == 207, answer.text
    found = {}
    for response in etree.fromstring(answer.content).iter(DAV + "response"):
        size = response.findtext(f".//{DAV}getcontentlength")
        found[response.findtext(DAV + "href") or ""] = int(size) if size else None
    return found


def test_both_areas_list_folders_and_files(content: Path) -> None:
    with xbip.serve(content) as station:
        whole = listing(station.url + "/NOMINAL/")
        assert whole[FILE] == len(data(1, 2))
        assert sum(size is not None for size in whole.values()) == 7
        assert set(listing(station.url + "/NOMINAL/", "1")) == {"/NOMINAL/", "/NOMINAL/S2B/"}
        assert set(listing(station.url + "/RETRANSFER/")) == {"/RETRANSFER/"}
        assert ("PROPFIND", "/NOMINAL/") in station.log


def test_downloads_with_ranges_and_dates(content: Path) -> None:
    with xbip.serve(content) as station:
        answer = httpx.get(station.url + FILE)
        assert answer.content == data(1, 2)
        assert answer.headers["last-modified"] == "Wed, 01 Jul 2026 10:31:01 GMT"
        part = httpx.get(station.url + FILE, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, data(1, 2)[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(data(1, 2))}"
        assert httpx.put(station.url + FILE, content=b"x").status_code == 405
        assert httpx.get(station.url + FOLDER + "/nothing").status_code == 404


def test_the_forms_of_folders_can_be_chosen(content: Path) -> None:
    settings = StationSettings(folders="SGS_/{satellite}/{session}/ch0{channel}")
    with xbip.serve(content, settings) as station:
        assert f"/NOMINAL/SGS_/S2B/{SESSION}/ch01/{block(1, 1)}" in listing(station.url + "/NOMINAL/")


def test_login_and_tls_with_curl(content: Path, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed: apt-get install curl")
    settings = StationSettings(user="s2ps", password=SecretStr("right"), tls=True)
    with xbip.serve(content, settings) as station:
        ask = [curl, "-sS", "-o", str(tmp_path / "got"), "-w", "%{http_code}", "--cacert", str(station.certificate)]
        codes = [
            subprocess.run([*ask, "-u", login, station.url + FILE], capture_output=True, text=True, check=True).stdout
            for login in ("s2ps:wrong", "s2ps:right")
        ]
    assert codes == ["401", "200"]
    assert (tmp_path / "got").read_bytes() == data(1, 2)


def test_misbehaviour(content: Path) -> None:
    with xbip.serve(content, StationSettings(misbehaviour=Misbehaviour(status_every=2, retry_after=1))) as station:
        codes = [httpx.get(station.url + FILE).status_code for _ in range(4)]
        assert codes == [200, 503, 200, 503]
        station.misbehave(status_every=0, cut_after=1000)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(station.url + FILE)
        station.misbehave(cut_after=0, no_ranges=True)
        assert httpx.get(station.url + FILE, headers={"Range": "bytes=5-9"}).status_code == 200
        station.misbehave(corrupt_every=1)
        assert httpx.get(station.url + FILE).content[1:] == data(1, 2)[1:]
        assert httpx.get(station.url + FILE).content[:1] != data(1, 2)[:1]
        station.misbehave(corrupt_every=0, clock_offset=-3600, wrong_length=7)
        assert httpx.get(station.url + FILE).headers["last-modified"] == "Wed, 01 Jul 2026 09:31:01 GMT"
        assert listing(station.url + FILE, "0")[FILE] == len(data(1, 2)) + 7
        station.misbehave(refuse_infinity=True)
        refused = httpx.request("PROPFIND", station.url + "/NOMINAL/", headers={"Depth": "infinity"})
        assert refused.status_code == 403
        assert b"propfind-finite-depth" in refused.content
        assert listing(station.url + "/NOMINAL/", "1")


def test_hostile_names_are_listed(content: Path) -> None:
    with xbip.serve(content, StationSettings(misbehaviour=Misbehaviour(hostile_names=True))) as station:
        names = listing(station.url + "/NOMINAL/")
    assert any("../../" in name for name in names)
    assert any("%0A" in name for name in names)


def test_a_file_appears_when_its_time_has_come(content: Path) -> None:
    events = [Event(at=5, file=block(1, 2), size=10), Event(at=6, file=block(1, 2))]
    with xbip.serve(content, StationSettings(timeline=Timeline(manual=True, events=events))) as station:
        assert httpx.get(station.url + FILE).status_code == 404
        station.advance(5)
        assert httpx.get(station.url + FILE).content == data(1, 2)[:10]
        station.advance(1)
        assert httpx.get(station.url + FILE).content == data(1, 2)


def test_a_station_without_content_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="nothing to publish"), xbip.serve(None):
        pass


def test_a_live_station_publishes_what_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with xbip.serve(tmp_path / "session", StationSettings(live=True)) as station:
        assert set(listing(station.url + "/NOMINAL/")) == {"/NOMINAL/"}
        write_session(tmp_path / "aside").rename(tmp_path / "session")
        monkeypatch.setattr(station.pickup, "_asked", 0.0)
        assert listing(station.url + "/NOMINAL/")[FILE] == len(data(1, 2))
        assert httpx.get(station.url + FILE).content == data(1, 2)
