"""AUXIP, asked by httpx: archives under the real names, lengths and checksums."""

from __future__ import annotations

import hashlib
import io
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from s2ps.formats import gipp
from s2ps.formats.eof_header import EofHeader
from s2ps.model.errors import ConfigurationError, InputError
from s2ps.stations import auxip
from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.settings import StationSettings
from s2ps.stations.station import Station
from s2ps.stations.timeline import Event, Timeline

pytestmark = pytest.mark.unit
HEADER = EofHeader("S2B", "GIP_CONVER", datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
BULLETIN = "S2__OPER_AUX_UT1UTC_PDMC_20260625T000000_V20260625T000000_20260814T000000"
ECMWF = "S2__OPER_AUX_ECMWFD_ADG__20260701T000000_V20260701T000000_20260703T000000"
CAMS = ECMWF.replace("ECMWFD", "CAMSFO")


def message(data: bytes) -> bytes:
    """Return the frame of a GRIB 2 message."""
    return b"GRIB\xff\xff\x00\x02" + (20 + len(data)).to_bytes(8, "big") + data + b"7777"


FIELDS = message(b"a" * 50) + message(b"b" * 70)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "auxiliary"
    folder.mkdir()
    gipp.write_gipp(folder / (HEADER.name + ".xml"), HEADER, gipp.Settings((gipp.Setting("a", "b"),)))
    (folder / f"{BULLETIN}.txt").write_text("bulletin")
    (folder / ECMWF).write_bytes(FIELDS)
    (folder / CAMS).write_bytes(FIELDS)
    return folder


def products(station: Station, **options: str) -> dict[str, Any]:
    answer = httpx.get(station.url + "/Products", params={f"${name}": value for name, value in options.items()})
    assert answer.status_code == 200, answer.text
    return {row.get("Name", row.get("name")): row for row in answer.json()["value"]}


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {item.name: archive.extractfile(item).read() for item in archive}  # type: ignore[union-attr]


def test_products_have_length_checksum_and_validity(folder: Path) -> None:
    with auxip.serve(folder) as station:
        found = products(station)
        assert set(found) == {name + ".TGZ" for name in (HEADER.name, BULLETIN, ECMWF, CAMS)}
        row = found[HEADER.name + ".TGZ"]
        got = httpx.get(f"{station.url}/Products({row['Id']})/$value").content
        assert row["ContentLength"] == len(got)
        assert row["Checksum"][0]["Value"] == hashlib.md5(got).hexdigest()  # noqa: S324
        assert row["ContentDate"] == {"Start": "2026-01-01T00:00:00.000Z", "End": "2100-01-01T00:00:00.000Z"}
        assert httpx.get(f"{station.url}/Products({row['Id']})").json()["Name"] == HEADER.name + ".TGZ"


def test_archives_hold_header_and_data_block(folder: Path) -> None:
    with auxip.serve(folder) as station:
        packed = {
            name.removesuffix(".TGZ"): members(httpx.get(f"{station.url}/Products({row['Id']})/$value").content)
            for name, row in products(station).items()
        }
    for name, inside in packed.items():
        assert set(inside) == {name + ".HDR", name + ".DBL"}
        assert etree.fromstring(inside[name + ".HDR"]).findtext("Fixed_Header/File_Name") == name
    assert packed[HEADER.name][HEADER.name + ".DBL"] == (folder / (HEADER.name + ".xml")).read_bytes()
    assert packed[BULLETIN][BULLETIN + ".DBL"] == b"bulletin"
    assert members(packed[CAMS][CAMS + ".DBL"]) == {CAMS: FIELDS}
    fields = members(packed[ECMWF][ECMWF + ".DBL"])
    assert len(fields) == 2
    assert all(name.startswith("S2D") for name in fields)
    assert b"".join(fields[name] for name in sorted(fields)) == FIELDS


def test_a_window_of_publication_and_pages(folder: Path) -> None:
    events = [Event(at=10, file="*UT1UTC*"), Event(at=20, file="*GIP_*")]
    timeline = Timeline(manual=True, start=datetime(2026, 7, 1, tzinfo=UTC), events=events)
    window = "PublicationDate ge 2026-07-01T00:00:05Z and PublicationDate lt 2026-07-01T00:00:20Z"
    with auxip.serve(folder, StationSettings(timeline=timeline, page_size=1)) as station:
        assert set(products(station)) < {ECMWF + ".TGZ", CAMS + ".TGZ"}
        station.advance(30)
        assert set(products(station, filter=window, orderby="PublicationDate asc")) == {BULLETIN + ".TGZ"}
        page = httpx.get(station.url + "/Products?$orderby=PublicationDate asc,Name&$count=true").json()
        assert page["@odata.count"] == 4
        assert len(page["value"]) == 1
        assert "$skip=1" in page["@odata.nextLink"].replace("%24", "$")


def test_providers_call_attributes_differently(folder: Path) -> None:
    with auxip.serve(folder, StationSettings(names="lower")) as station:
        row = products(station, filter="creationDate ge 2020-01-01T00:00:00Z and contains(name,'CONVER')")
    ((_, found),) = row.items()
    assert {"id", "name", "contentLength", "creationDate"} <= set(found)


def test_misbehaviour(folder: Path) -> None:
    with auxip.serve(
        folder, StationSettings(misbehaviour=Misbehaviour(wrong_checksum=True, wrong_length=-1))
    ) as station:
        row = products(station)[BULLETIN + ".TGZ"]
        got = httpx.get(f"{station.url}/Products({row['Id']})/$value").content
    assert row["Checksum"][0]["Value"] != hashlib.md5(got).hexdigest()  # noqa: S324
    assert row["ContentLength"] == len(got) - 1


def test_nothing_to_publish_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no auxiliary file"), auxip.serve(tmp_path):
        pass
    with pytest.raises(ConfigurationError, match="nothing to publish"), auxip.serve(None):
        pass
