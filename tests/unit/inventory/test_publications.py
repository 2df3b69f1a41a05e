"""Publishing and withdrawing: whole or not at all, and in an order that clients can follow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shapely.geometry import box
from sqlalchemy.exc import IntegrityError

from s2ps.inventory.publication_tables import ATTRIBUTES, PUBLICATIONS
from s2ps.inventory.publications import Attribute, Checksum, Publication, PublicationStore
from s2ps.inventory.store import Inventory
from s2ps.model.errors import PublicationError

pytestmark = pytest.mark.unit
T0 = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)


@pytest.fixture
def inventory(tmp_path: Path) -> Inventory:
    return Inventory(tmp_path / "inventory.sqlite")


@pytest.fixture
def store(inventory: Inventory) -> PublicationStore:
    return PublicationStore(inventory)


def package(folder: Path, name: str = "S2B_OPER_MSI_L1C_TL_T32TPQ_N05.00.tar", content: bytes = b"tar") -> Publication:
    path = folder / name
    path.write_bytes(content)
    return Publication(
        name=name,
        content_type="application/x-tar",
        content_length=len(content),
        checksums=(Checksum("MD5", content.hex(), T0),),
        origin_date=T0,
        published_at=T0 + timedelta(minutes=40),
        eviction_date=T0 + timedelta(days=7),
        content_start=T0 - timedelta(minutes=20),
        content_end=T0 - timedelta(minutes=19),
        footprint=box(10, 45, 11, 46),
        attributes=(
            Attribute("beginningDateTime", T0 - timedelta(minutes=20)),
            Attribute("cloudCover", 12.5),
            Attribute("online", True),
            Attribute("orbitNumber", 43890),
            Attribute("productType", "S2MSI1C"),
        ),
        location=path.as_uri(),
        quicklook=None,
        stac_item={"id": "one", "properties": {"x": [1, None]}},
        datatake="GS2B_20260701T101559_043890_N05.00",
        level="L1C",
    )


def test_what_is_published_comes_back_unchanged(store: PublicationStore, tmp_path: Path) -> None:
    given = package(tmp_path)
    assert store.publish(given) == given
    assert store.get(given.id) == given
    kinds = {each.name: type(each.value) for each in given.attributes}
    found = store.get(given.id)
    assert found is not None
    assert {each.name: type(each.value) for each in found.attributes} == kinds


def test_the_first_publication_date_stays(store: PublicationStore, tmp_path: Path) -> None:
    given = store.publish(package(tmp_path))
    again = store.publish(replace(given, published_at=given.published_at + timedelta(hours=1)))
    assert again.published_at == given.published_at


def test_another_checksum_is_refused(store: PublicationStore, tmp_path: Path) -> None:
    given = store.publish(package(tmp_path))
    with pytest.raises(PublicationError, match="other checksums"):
        store.publish(replace(given, checksums=(Checksum("md5", "00", T0),)))
    assert store.get(given.id) == given


def test_a_further_checksum_of_the_same_package_is_no_conflict(store: PublicationStore, tmp_path: Path) -> None:
    given = store.publish(package(tmp_path))
    more = (Checksum("md5", given.checksums[0].value.upper(), T0), Checksum("SHA3-256", "ab", T0))
    assert store.publish(replace(given, checksums=more)) == given


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"checksums": ()}, "no checksum"),
        ({"content_length": 4}, "has 3 bytes"),
        ({"location": "file:///nowhere/at/all.tar"}, "is not there"),
        ({"location": "s3://bucket/key"}, "is not there"),
        ({"published_at": datetime(2026, 7, 1)}, "no time zone"),
        ({"attributes": (Attribute("a", 1), Attribute("a", "1"))}, "given twice"),
        ({"content_end": T0 - timedelta(days=1)}, "ends before"),
        ({"production_type": "by hand"}, "production type"),
        ({"name": ""}, "no name"),
    ],
)
def test_what_is_not_whole_is_not_published(
    store: PublicationStore, inventory: Inventory, tmp_path: Path, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(PublicationError, match=reason):
        store.publish(replace(package(tmp_path), **change))
    assert store.expired(T0 + timedelta(days=999)) == ()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**63, datetime(2026, 7, 1)])
def test_values_that_no_client_could_read_are_refused(value: float | int | datetime) -> None:
    with pytest.raises(PublicationError, match="attribute x"):
        Attribute("x", value)


def test_publication_dates_follow_the_order_of_appearance(store: PublicationStore, tmp_path: Path) -> None:
    first = store.publish(package(tmp_path, "first.tar"))
    earlier = replace(package(tmp_path, "second.tar"), published_at=first.published_at - timedelta(hours=1))
    assert store.publish(earlier).published_at == first.published_at + timedelta(microseconds=1)


def test_a_client_that_follows_the_publication_date_misses_nothing(store: PublicationStore, tmp_path: Path) -> None:
    """Many publish at once with clocks that differ; a reader asks only for what is newer than what it has seen."""
    names = [f"product_{number:02d}.tar" for number in range(40)]
    packages = [
        replace(package(tmp_path, name), published_at=T0 + timedelta(seconds=(number * 7) % 40))
        for number, name in enumerate(names)
    ]
    seen: dict[str, datetime] = {}
    finished = threading.Event()

    def follow() -> None:
        last = T0 - timedelta(days=1)
        while True:
            ending = finished.is_set()
            for one in store.expired(T0 + timedelta(days=99)):
                if one.published_at > last:
                    seen[one.name] = one.published_at
            last = max(seen.values(), default=last)
            if ending:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(6) as pool:
        dates = [one.published_at for one in pool.map(store.publish, packages)]
    finished.set()
    reader.join()
    assert sorted(seen) == names
    assert len(set(dates)) == len(dates)


def test_the_same_product_published_at_once_is_one_product(store: PublicationStore, tmp_path: Path) -> None:
    given = package(tmp_path)
    moments = [replace(given, published_at=given.published_at + timedelta(seconds=number)) for number in range(12)]
    with ThreadPoolExecutor(6) as pool:
        dates = {one.published_at for one in pool.map(store.publish, moments)}
    assert len(dates) == 1


def test_withdrawing_leaves_nothing_behind(store: PublicationStore, inventory: Inventory, tmp_path: Path) -> None:
    given = store.publish(package(tmp_path))
    assert store.withdraw(given.name) == given
    assert store.withdraw(given.name) is None
    assert store.get(given.id) is None
    with inventory.engine.connect() as connection:
        for table in (PUBLICATIONS, *ATTRIBUTES.values()):
            assert connection.execute(table.select()).all() == []


def test_a_publication_that_breaks_half_way_is_not_seen(
    store: PublicationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = package(tmp_path)
    monkeypatch.setattr(Attribute, "__post_init__", lambda self: None)
    broken = replace(given, attributes=(*given.attributes, Attribute("x", None)))  # type: ignore[arg-type]
    with pytest.raises((IntegrityError, KeyError)):
        store.publish(broken)
    assert store.get(given.id) is None


def test_the_expired_are_found_the_oldest_first(store: PublicationStore, tmp_path: Path) -> None:
    days = {"c.tar": 3, "a.tar": 1, "b.tar": 2, "never.tar": None}
    for name, day in days.items():
        eviction = None if day is None else T0 + timedelta(days=day)
        store.publish(replace(package(tmp_path, name), eviction_date=eviction))
    assert [one.name for one in store.expired(T0 + timedelta(days=2))] == ["a.tar", "b.tar"]
    assert [one.name for one in store.expired(T0 + timedelta(days=9), limit=2)] == ["a.tar", "b.tar"]
