"""Pages follow one another without gap and without repetition."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from published import product

from s2ps.inventory.publications import Publication, PublicationStore
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit
PRODUCTS = "/odata/v1/Products"
ORDERS = (
    "", "Name", "Name desc", "EvictionDate", "EvictionDate desc", "ContentLength desc,Name", "Id",
    "ContentType,EvictionDate", "ContentDate/Start desc", "OriginDate,ContentLength desc",
)  # fmt: skip


def walk(client: httpx.Client, size: int, **options: str) -> list[str]:
    """Follow the links from the first page to the last."""
    names: list[str] = []
    answer = client.get(PRODUCTS, params=options, headers={"Prefer": f"odata.maxpagesize={size}"})
    while True:
        document = answer.raise_for_status().json()
        assert len(document["value"]) <= size
        names += [each["Name"] for each in document["value"]]
        if "@odata.nextLink" not in document:
            return names
        answer = client.get(document["@odata.nextLink"], headers={"Prefer": f"odata.maxpagesize={size}"})


def test_pages_hold_what_one_answer_holds(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    for order in ORDERS:
        options = {"$orderby": order} if order else {}
        whole = [each["Name"] for each in client.get(PRODUCTS, params=options).json()["value"]]
        assert len(set(whole)) == len(products)
        for size in (1, 3, 9, 10):
            assert walk(client, size, **options) == whole, order


def test_null_comes_first(client: httpx.Client) -> None:
    dates = [each["EvictionDate"] for each in client.get(PRODUCTS, params={"$orderby": "EvictionDate"}).json()["value"]]
    assert dates[:2] == [None, None]
    assert dates[2:] == sorted(dates[2:])


def test_top_and_skip_count_over_all_pages(client: httpx.Client) -> None:
    whole = walk(client, 100, **{"$orderby": "Name"})
    assert walk(client, 3, **{"$orderby": "Name", "$top": "7", "$skip": "2"}) == whole[2:9]
    assert walk(client, 3, **{"$orderby": "Name", "$top": "0"}) == []
    assert walk(client, 3, **{"$orderby": "Name", "$skip": "99"}) == []
    counted = client.get(PRODUCTS, params={"$top": "2", "$skip": "5", "$count": "true"}).json()
    assert (counted["@odata.count"], len(counted["value"])) == (10, 2)


def test_a_link_keeps_filter_selection_and_count(client: httpx.Client) -> None:
    asked = {"$filter": "contains(Name,'100%') or startswith(Name,'S2A')", "$select": "Name", "$count": "true"}
    first = client.get(PRODUCTS, params=asked, headers={"Prefer": "odata.maxpagesize=2"}).json()
    second = client.get(first["@odata.nextLink"]).json()
    assert (first["@odata.count"], second["@odata.count"], len(second["value"])) == (3, 3, 1)
    assert list(second["value"][0]) == ["@odata.mediaContentType", "Name"]


def test_products_that_come_and_go_do_not_shift_pages(
    client: httpx.Client, products: tuple[Publication, ...], inventory: Inventory, tmp_path: Path
) -> None:
    store = PublicationStore(inventory)
    order = {"$orderby": "Name", "$select": "Name"}
    before = walk(client, 100, **order)
    first = client.get(PRODUCTS, params=order, headers={"Prefer": "odata.maxpagesize=4"}).json()
    store.withdraw(before[3])
    store.withdraw(before[0])
    early = replace(product(tmp_path, "A"), published_at=products[-1].published_at + timedelta(days=1))
    store.publish(early)
    rest = client.get(first["@odata.nextLink"]).json()
    assert [each["Name"] for each in (*first["value"], *rest["value"])] == before


def test_a_token_of_another_order_is_refused(client: httpx.Client) -> None:
    first = client.get(PRODUCTS, params={"$orderby": "Name"}, headers={"Prefer": "odata.maxpagesize=4"}).json()
    stolen = first["@odata.nextLink"].replace("Name", "Id")
    assert client.get(stolen).status_code == 400
