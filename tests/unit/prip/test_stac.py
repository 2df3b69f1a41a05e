"""The STAC API, seen by pystac and by plain requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import httpx
import pystac
import pytest
from published import product

from s2ps.inventory.publications import Publication, PublicationStore
from s2ps.inventory.store import Inventory

pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("ignore:BBOX crossing the Antimeridian")]


def ids(answer: httpx.Response) -> set[str]:
    return {each["id"][:10] + each["id"][-15:] for each in answer.raise_for_status().json()["features"]}


def found(client: httpx.Client, **asked: object) -> set[str]:
    """Search by GET and by POST, which must find the same."""
    lists = {name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in asked.items()}
    by_get = ids(client.get("/stac/search", params={"limit": 100, **lists}))  # type: ignore[dict-item]
    assert ids(client.post("/stac/search", json={"limit": 100, **asked})) == by_get
    return by_get


def test_collections_and_items_are_stac(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    collections = client.get("/stac/collections").json()["collections"]
    assert [each["id"] for each in collections] == [
        f"sentinel-2-{level}" for level in ("l0", "l1b", "l1c", "l2a", "sad")
    ]
    for each in collections:
        assert pystac.Collection.from_dict(each).id == each["id"]
    catalog = client.get("/stac/").json()
    assert pystac.Catalog.from_dict(catalog).title == "Sentinel-2 products"
    address = next(link["href"] for link in collections[2]["links"] if link["rel"] == "items")
    items = client.get(address).json()["features"]
    assert len(items) == 3
    for each in items:
        item = pystac.Item.from_dict(each)
        assert client.get(item.get_self_href() or "").json()["id"] == item.id
        assert client.get(item.assets["product"].href).status_code == 200
    quick = client.get(f"/stac/collections/sentinel-2-l1c/items/{products[2].name[:-4]}").json()
    assert client.get(quick["assets"]["thumbnail"]["href"]).content.startswith(b"\xff\xd8\xff")


def test_searches(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    tpq, tqq = {"S2B_MSIL1C20260701T110000"}, {"S2B_MSIL1C20260701T110000"}
    assert len(found(client)) >= 7
    assert found(client, collections=["sentinel-2-l1c"], bbox=[10.4, 46, 11, 46.2]) == tpq
    assert found(client, ids=[products[3].name[:-4]]) == tqq
    pacific = {"S2A_MSIL1C20260701T230000", "S2A_MSIL2A20260701T233000"}
    for bbox in ([179.8, -17, 180, -16], [-180, -17, -179.8, -16], [179.9, -17, -179.9, -16]):
        assert found(client, bbox=bbox) == pacific
    assert found(client, datetime="2026-07-01T12:00:00Z/..") == pacific
    assert found(client, datetime="../2026-07-01T10:15:00Z") == set()
    assert found(client, datetime="2026-07-01T21:55:59Z") == {"S2A_MSIL1C20260701T230000"}
    place = {"type": "Point", "coordinates": [12.5, 46.5]}
    answer = client.post("/stac/search", json={"intersects": place})
    assert [each["id"] for each in answer.json()["features"]] == [products[3].name[:-4]]


def test_pages_lead_to_every_item_once(client: httpx.Client) -> None:
    whole = [each["id"] for each in client.get("/stac/search", params={"limit": 100}).json()["features"]]
    for method in ("GET", "POST"):
        names: list[str] = []
        body: dict[str, object] = {"limit": 2}
        answer = client.request(method, "/stac/search", **{"params" if method == "GET" else "json": body})  # type: ignore[arg-type]
        while True:
            names += [each["id"] for each in answer.json()["features"]]
            (following, *_) = [each for each in answer.json()["links"] if each["rel"] == "next"] or [None]
            if following is None:
                break
            assert following["method"] == method
            more = {"json": {**body, **following["body"]}} if method == "POST" else {}
            answer = client.request(method, following["href"], **more)  # type: ignore[arg-type]
        assert names == whole


@pytest.mark.parametrize(
    "asked",
    [
        {"bbox": "1,2,3"}, {"bbox": "0,10,1,5"}, {"bbox": "0,0,nan,1"}, {"datetime": "yesterday"}, {"limit": "0"},
        {"token": "x"}, {"intersects": "{}"}, {"bbox": "1,2,3,4", "intersects": '{"type":"Point","coordinates":[1,2]}'},
        {"intersects": '{"type":"Point","coordinates":[1,200]}'},
    ],
)  # fmt: skip
def test_a_search_that_makes_no_sense_is_refused(open_client: httpx.Client, asked: dict[str, str]) -> None:
    assert open_client.get("/stac/search", params=asked).status_code == 400


def test_unknown_items_and_collections(open_client: httpx.Client) -> None:
    assert open_client.get("/stac/collections/none").status_code == 404
    assert open_client.get("/stac/collections/none/items").status_code == 404
    assert open_client.get("/stac/collections/a%00/items").status_code == 404
    assert open_client.get("/stac/collections/sentinel-2-l1c/items/none").status_code == 404


def test_a_product_without_item_is_in_no_answer(client: httpx.Client, inventory: Inventory, tmp_path: Path) -> None:
    before = found(client)
    PublicationStore(inventory).publish(replace(product(tmp_path, "no_item"), stac_item=None))
    assert found(client) == before


@pytest.mark.parametrize(
    "body", [rb'{"ids":["\ud800"]}', rb'{"collections":["a\u0000"]}', b'{"datetime":"0001-01-01T00:00:00+14:00/.."}']
)
def test_what_no_database_can_hold_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/stac/search", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"] in ("InvalidQueryParameter", "BadRequest")) == (400, True)


def test_a_time_before_the_first_year_is_refused(client: httpx.Client) -> None:
    answer = client.get("/stac/search", params={"datetime": "0001-01-01T00:00:00+14:00/.."})
    assert (answer.status_code, "outside the years" in answer.json()["description"]) == (400, True)


def test_a_new_collection_is_found_at_once(client: httpx.Client, inventory: Inventory, tmp_path: Path) -> None:
    assert client.get("/stac/collections/sentinel-2-l1a").status_code == 404
    PublicationStore(inventory).publish(product(tmp_path, "first_of_its_kind", level="L1A"))
    found_now = client.get("/stac/collections/sentinel-2-l1a").json()
    assert found_now["extent"]["temporal"]["interval"][0][0].startswith("2026-07-01T10:15:59")


@pytest.mark.parametrize(
    ("body", "kind"), [("{}", "text/plain"), ("[]", "application/json"), ("1", "application/json")]
)
def test_a_search_that_is_no_json_object_is_refused(open_client: httpx.Client, body: str, kind: str) -> None:
    assert open_client.post("/stac/search", content=body, headers={"Content-Type": kind}).status_code == 400
