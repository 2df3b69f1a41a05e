"""CADIP, asked by httpx and curl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from pydantic import SecretStr
from unit.stations.sessions import SESSION, block, data, write_session

from s2ps.stations import cadip
from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Event, Timeline

pytestmark = pytest.mark.unit
LOGIN = ("s2ps", "right")


def ask(station: Station, path: str, **options: str) -> Any:
    answer = httpx.get(station.url + path, params={f"${name}": value for name, value in options.items()} or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ident(station: Station, name: str) -> str:
    (found,) = ask(station, "/Files", filter=f"Name eq '{name}'")["value"]
    return str(found["Id"])


def test_sessions_files_and_quality_information(content: Path) -> None:
    with cadip.serve(content) as station:
        (session,) = ask(station, "/Sessions", filter="Satellite eq 'S2B'", orderby="PublicationDate asc")["value"]
        assert (session["SessionId"], session["NumChannels"], session["Retransfer"]) == (SESSION, 2, False)
        assert session["DownlinkOrbit"] == 48123
        files = ask(station, "/Files", filter=f"SessionId eq '{SESSION}' and Retransfer eq false")["value"]
        assert [(f["Channel"], f["BlockNumber"], f["FinalBlock"]) for f in files] == [
            (1, 1, False), (1, 2, False), (1, 3, True), (2, 1, False), (2, 2, True)
        ]  # fmt: skip
        assert files[1]["Size"] == len(data(1, 2))
        assert files[1]["PublicationDate"] == "2026-07-01T10:31:01.000Z"
        quality = ask(station, "/QualityInfo", filter=f"SessionId eq '{SESSION}'")["value"]
        assert [(q["Channel"], q["TotalChunks"]) for q in quality] == [(1, 3), (2, 2)]
        assert quality[0]["TotalVolume"] == sum(len(data(1, n)) for n in (1, 2, 3))
        one = ask(station, f"/Sessions({session['Id']})", expand="Files,QualityInfo")
        assert (len(one["Files"]), len(one["QualityInfo"])) == (5, 2)
        assert len(ask(station, f"/Sessions({session['Id']})/Files", top="2")["value"]) == 2


def test_attributes_are_those_of_the_interface(content: Path) -> None:
    with cadip.serve(content) as station:
        described = etree.fromstring(httpx.get(station.url + "/$metadata").content)
        told = {
            kind.get("Name"): {item.get("Name") for item in kind.iterfind("{*}Property")}
            for kind in described.iter("{*}EntityType")
        }
        for name, kind in (("Sessions", "Session"), ("Files", "File"), ("QualityInfo", "QualityInfo")):
            (*_, row) = ask(station, f"/{name}")["value"]
            assert set(row) == told[kind]


@pytest.mark.parametrize(
    ("options", "blocks"),
    [
        ({"orderby": "Channel desc,BlockNumber asc"}, [21, 22, 11, 12, 13]),
        ({"orderby": "Size desc", "top": "1"}, [13]),
        ({"orderby": "Channel,BlockNumber", "skip": "3"}, [21, 22]),
        ({"filter": "PublicationDate ge 2026-07-01T10:31:02Z and Channel eq 1"}, [13]),
        ({"filter": "PublicationDate gt 2026-07-01T12:31:02+02:00 and not (Channel eq 2)"}, []),
        ({"filter": "startswith(Name,'DCS_05') and endswith(Name,'_00001.raw')"}, [11, 21]),
        ({"filter": "contains(Name,'_ch2_') or BlockNumber in (3, 4)"}, [13, 21, 22]),
    ],
)
def test_queries(content: Path, options: dict[str, str], blocks: list[int]) -> None:
    with cadip.serve(content) as station:
        rows = ask(station, "/Files", **options)["value"]
    assert [10 * row["Channel"] + row["BlockNumber"] for row in rows] == blocks


@pytest.mark.parametrize("query", ["$filter=Nix eq 1", "$filter=Name gt", "$top=-1", "$filter=Name gt 1", "$nix=1"])
def test_wrong_queries_are_told(content: Path, query: str) -> None:
    with cadip.serve(content) as station:
        answer = httpx.get(f"{station.url}/Files?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_counts_and_pages(content: Path) -> None:
    with cadip.serve(content, StationSettings(page_size=2)) as station:
        page = ask(station, "/Files", count="true", orderby="Name", top="4")
        names, pages = [], 0
        while page:
            assert page["@odata.count"] == 5
            names += [row["Name"] for row in page["value"]]
            pages += 1
            page = httpx.get(page["@odata.nextLink"]).json() if "@odata.nextLink" in page else None
    assert pages == 2
    assert names == [block(1, 1), block(1, 2), block(1, 3), block(2, 1)]


def test_downloads_ranges_and_redirects_to_another_origin(content: Path, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed: apt-get install curl")
    settings = StationSettings(user=LOGIN[0], password=SecretStr(LOGIN[1]), redirect=True)
    with cadip.serve(content, settings) as station:
        listed = httpx.get(station.url + "/Files", auth=LOGIN).json()["value"]
        path = f"{station.url}/Files({listed[1]['Id']})/$value"
        asked = httpx.get(path, auth=LOGIN)
        assert asked.status_code == 307
        assert not asked.headers["location"].startswith(station.url[:22])
        command = [
            curl,
            "-sSL",
            "-u",
            ":".join(LOGIN),
            "-r",
            "10-19",
            "-w",
            "%{http_code}",
            "-o",
            str(tmp_path / "got"),
        ]
        assert subprocess.run([*command, path], capture_output=True, text=True, check=True).stdout == "206"
        assert (tmp_path / "got").read_bytes() == data(1, 2)[10:20]
        assert httpx.get(path).status_code == 401


@pytest.mark.parametrize(
    ("asked", "status", "span"),
    [("bytes=0-9", 206, slice(0, 10)), ("bytes=-5", 206, slice(-5, None)), ("bytes=9999-", 206, slice(9999, None)),
     ("bytes=99999-", 416, slice(0, 0)), ("lines=1-2", 416, slice(0, 0))],
)  # fmt: skip
def test_ranges(content: Path, asked: str, status: int, span: slice) -> None:
    with cadip.serve(content) as station:
        path = f"{station.url}/Files({ident(station, block(1, 2))})/$value"
        answer = httpx.get(path, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, data(1, 2)[span])


@pytest.mark.parametrize("header", ["Authorization", "OAUTH2-ACCESS-TOKEN"])
def test_tokens_in_either_header(content: Path, header: str) -> None:
    settings = StationSettings(user=LOGIN[0], password=SecretStr(LOGIN[1]), oauth2=True, token_header=header)  # type: ignore[arg-type]
    forms = [
        {"grant_type": "client_credentials", "client_id": LOGIN[0], "client_secret": LOGIN[1]},
        {"grant_type": "password", "username": LOGIN[0], "password": LOGIN[1]},
    ]
    with cadip.serve(content, settings) as station:
        assert station.token_url
        assert httpx.post(station.token_url, data={**forms[0], "client_secret": "no"}).status_code == 401
        assert httpx.get(station.url + "/Files", auth=LOGIN).status_code == 401
        for form in forms:
            token = httpx.post(station.token_url, data=form).json()["access_token"]
            sent = {"Authorization": f"Bearer {token}", "OAUTH2-ACCESS-TOKEN": token}
            codes = {name: httpx.get(station.url + "/Files", headers={name: sent[name]}).status_code for name in sent}
            assert codes.pop(header) == 200
            assert set(codes.values()) == {401}


def test_a_token_that_is_told_to_have_expired_stays_so(content: Path) -> None:
    settings = StationSettings(
        user=LOGIN[0], password=SecretStr(LOGIN[1]), oauth2=True, misbehaviour=Misbehaviour(revoke_every=3)
    )
    with cadip.serve(content, settings) as station:
        form = {"grant_type": "client_credentials"}
        token = httpx.post(station.token_url or "", data=form, auth=LOGIN).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answers = [httpx.get(station.url + "/Files", headers=headers) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert "invalid_token" in answers[-1].headers["www-authenticate"]


def test_quality_information_comes_last_and_retransfers_are_sessions_of_their_own(content: Path) -> None:
    events = [Event(at=1, file="*_ch2_*"), Event(at=1, file="*_ch1_*1.raw"), Event(at=1, file="*_ch1_*3.raw"),
              Event(at=9, file="*_ch1_*2.raw", area="RETRANSFER"), Event(at=9, file="*_ch1_*2.raw")]  # fmt: skip
    with cadip.serve(content, StationSettings(timeline=Timeline(manual=True, events=events))) as station:
        assert not ask(station, "/Sessions")["value"]
        station.advance(2)
        assert [q["Channel"] for q in ask(station, "/QualityInfo")["value"]] == [2]
        station.advance(8)
        assert [q["Channel"] for q in ask(station, "/QualityInfo", orderby="Channel")["value"]] == [1, 2]
        again = ask(station, "/Sessions", filter="Retransfer eq true", expand="Files")["value"]
        assert [[file["BlockNumber"] for file in session["Files"]] for session in again] == [[2]]


def test_misbehaviour(content: Path) -> None:
    with cadip.serve(content) as station:
        path = f"{station.url}/Files({ident(station, block(1, 2))})/$value"
        station.misbehave(cut_after=500)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(path)
        station.misbehave(cut_after=0, status_every=1, status=500, status_on="download")
        assert httpx.get(path).status_code == 500
        station.misbehave(status_every=0, clock_offset=60, wrong_totals=1, no_ranges=True)
        assert httpx.get(path, headers={"Range": "bytes=0-1"}).status_code == 200
        assert ask(station, "/Files")["value"][1]["PublicationDate"] == "2026-07-01T10:32:01.000Z"
        assert ask(station, "/QualityInfo")["value"][0]["TotalChunks"] == 4


def test_a_live_station_publishes_a_session_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DSIBs in its listings, the last block that is there would be taken for the final one."""
    whole, live = write_session(tmp_path / "aside") / SESSION, tmp_path / "session" / SESSION
    shutil.copytree(whole, live)
    dsib = next((live / "ch_2").glob("*_DSIB.xml"))
    document = dsib.read_bytes()
    states = ((None, None), (document[:50], None), (document, data(2, 2)[:100]), (document, data(2, 2)))
    with cadip.serve(tmp_path / "session", StationSettings(live=True)) as station:
        found = []
        for described, last in states:
            dsib.unlink(missing_ok=True)
            if described is not None:
                dsib.write_bytes(described)
            (live / "ch_2" / block(2, 2)).write_bytes(last or data(2, 2))
            monkeypatch.setattr(station.pickup, "_asked", 0.0)
            found.append([(row["SessionId"], row["NumChannels"]) for row in ask(station, "/Sessions")["value"]])
        assert found == [[], [], [], [(SESSION, 2)]]
