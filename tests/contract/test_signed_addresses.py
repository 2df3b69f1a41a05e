"""Packages in a bucket are fetched from there by signed addresses: by who has one, for a while, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from contract.conftest import ObjectStore, Server, bucket_on
from published import product
from serving import serving

from s2ps.inventory.publications import Publication, PublicationStore
from s2ps.inventory.store import Inventory
from s2ps.prip.accounts import Accounts
from s2ps.prip.app import application
from s2ps.prip.service import make_service
from s2ps.prip.settings import PripSettings

pytestmark = pytest.mark.integration
NAME = "S2B_odd 100%_name's product"
SIZE = 6_000_000


@contextmanager
def _service(store: ObjectStore, folder: Path, seconds: int = 600) -> Iterator[tuple[httpx.Client, Publication, bytes]]:
    """Serve one product whose package lies in a bucket."""
    made = product(folder, NAME, size=SIZE)
    content = (folder / f"{NAME}.tar").read_bytes()
    location = replace(store.location(), prefix=f"pre/fix/L1B/2026/07/01/{NAME}.tar")
    store.client.put_object(Bucket=location.bucket, Key=location.prefix, Body=content)
    inventory = Inventory(folder / "inventory.sqlite")
    kept = PublicationStore(inventory, lambda _: len(content)).publish(replace(made, location=str(location)))
    settings = PripSettings(anonymous=True, signed_url_seconds=seconds)
    service = make_service(inventory, settings, Accounts(folder / "users.yaml"), "x" * 40)
    with serving(application(service, settings)) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client, kept, content


def _address(client: httpx.Client, kept: Publication, method: str = "GET") -> str:
    answer = client.request(method, f"/odata/v1/Products({kept.id})/$value")
    assert answer.status_code == 307
    return answer.headers["location"]


def test_a_signed_address_gives_the_package_whole_and_in_ranges(object_store: ObjectStore, tmp_path: Path) -> None:
    with _service(object_store, tmp_path) as (client, kept, content):
        address = _address(client, kept)
        whole = httpx.get(address, timeout=60)
        assert (whole.status_code, whole.content == content) == (200, True)
        assert whole.headers["content-type"] == kept.content_type
        assert "product.tar" in whole.headers["content-disposition"]
        for asked, first, last in (
            ("bytes=0-9", 0, 10),
            (f"bytes={SIZE // 2}-", SIZE // 2, None),
            ("bytes=-7", -7, None),
        ):
            part = httpx.get(address, headers={"Range": asked}, timeout=60)
            assert (part.status_code, part.content) == (206, content[first:last])
        head = httpx.head(_address(client, kept, "HEAD"), timeout=60)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(content)))
        followed = client.get(f"/odata/v1/Products({kept.id})/$value", follow_redirects=True)
        assert followed.content == content


@pytest.mark.cluster
def test_other_addresses_are_refused(radosgw: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bucket_on(radosgw, tmp_path, monkeypatch) as store, _service(store, tmp_path, 5) as (client, kept, _):
        address = _address(client, kept)
        assert httpx.get(address, timeout=60).status_code == 200
        plain = urlsplit(address)._replace(query="").geturl()
        assert httpx.get(plain).status_code == 403
        assert httpx.get(address.replace("/L1B/", "/L1C/")).status_code == 403
        assert httpx.get(address.replace("X-Amz-Expires=5", "X-Amz-Expires=600")).status_code == 403
        assert httpx.delete(address).status_code == 403
        time.sleep(7)
        assert httpx.get(address).status_code == 403
