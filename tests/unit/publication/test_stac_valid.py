"""Every kind of STAC document that users get is valid by a validator that others wrote: from files and by the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import serving
from stac_validity import Findings, stac_findings  # noqa: F401
from unit.publication.small_products import TC, TL, USER, level_0, tile_items, user_product
from unit.publication.test_publisher import publish, publisher

from s2ps.inventory.store import Inventory
from s2ps.prip.accounts import Accounts
from s2ps.prip.app import application
from s2ps.prip.service import make_service
from s2ps.prip.settings import PripSettings
from s2ps.publication.stac_item import EXTENSIONS

pytestmark = pytest.mark.unit
HKTM = "S2B_OPER_PRD_HKTM___20260701T101559_20260701T101614_0001"
SAD = "S2B_OPER_AUX_SADATA_S2PS_20260701T110000_V20260701T101559_20260701T101614_A048123_WF_LN"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a published product of every kind."""
    home = tmp_path_factory.mktemp("home")
    products = home / "products"
    user_product(products)
    tile_items(products)
    level_0(products)
    for name in (HKTM, SAD):
        (products / "PDI" / "L0" / name).mkdir(parents=True)
        (products / "PDI" / "L0" / name / "manifest.safe").write_text("<manifest/>")
    assert len(publish(publisher(home), home)) == 7
    return home


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    """A client of the service over it."""
    settings = PripSettings(anonymous=True)
    service = make_service(Inventory(home / "inventory.sqlite"), settings, Accounts(home / "users.yaml"), "x" * 40)
    with serving(application(service, settings)) as address, httpx.Client(base_url=address, timeout=30) as found:
        yield found


def _files(home: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((home / "packages" / "stac").rglob("*.json"))]


def test_the_static_catalogue_is_valid(home: Path, stac_findings: Findings) -> None:  # noqa: F811
    documents = _files(home)
    assert {each["type"] for each in documents} == {"Catalog", "Collection", "Feature"}
    assert len([each for each in documents if each["type"] == "Feature"]) == 7
    used = {uri for each in documents for uri in each.get("stac_extensions", ())}
    assert used == set(EXTENSIONS.values())
    assert [finding for each in documents for finding in stac_findings(each)] == []


def test_answers_of_the_api_are_valid(client: httpx.Client, stac_findings: Findings) -> None:  # noqa: F811
    landing = client.get("/stac/").json()
    collections = client.get("/stac/collections").json()["collections"]
    documents = [landing, *collections]
    for each in collections:
        documents += [client.get(f"/stac/collections/{each['id']}").json()]
        items = client.get(f"/stac/collections/{each['id']}/items").json()["features"]
        documents += [client.get(f"/stac/collections/{each['id']}/items/{item['id']}").json() for item in items]
    found = client.get("/stac/search", params={"limit": 100}).json()["features"]
    assert len(found) == 7
    assert [finding for each in (*documents, *found) for finding in stac_findings(each)] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sat:orbit_state", "sideways"), ("eo:cloud_cover", 130), ("proj:code", 32632), ("view:sun_azimuth", 400),
        ("grid:code", "32TPQ"), ("mgrs:utm_zone", "32"), ("processing:level", 1), ("expires", "tomorrow"),
        ("datetime", "today"), ("created", 3),
    ],
)  # fmt: skip
def test_a_wrong_field_is_found(home: Path, stac_findings: Findings, name: str, value: object) -> None:  # noqa: F811
    item = next(each for each in _files(home) if each["id"] == USER.removesuffix(".SAFE"))
    assert name in item["properties"]
    item["properties"][name] = value
    assert stac_findings(item)


def test_a_wrong_checksum_and_an_unknown_extension_are_found(home: Path, stac_findings: Findings) -> None:  # noqa: F811
    for item in (each for each in _files(home) if each["id"] in (TL, TC)):
        given = item["assets"]["product"]["file:size"]
        item["assets"]["product"]["file:size"] = "large"
        assert stac_findings(item)
        item["assets"]["product"]["file:size"] = given
        item["stac_extensions"].append("https://stac-extensions.github.io/unknown/v1.0.0/schema.json")
        assert stac_findings(item)
