"""An S3 server for the tests of this folder, and a bucket for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from contract.object_store import Proxy, environment, make_bucket, server

from s2ps.staging.s3 import S3Store
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_location import S3Location

Opener = Callable[..., S3Store]


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A bucket on a real server, and a plain client to look into it."""

    address: str
    bucket: str
    client: Any

    def location(self, address: str | None = None) -> S3Location:
        return S3Location(self.bucket, "pre/fix", address or self.address)


@pytest.fixture(scope="session")
def s3_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("moto") / "server.log") as address:
        yield address


@pytest.fixture
def object_store(s3_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("S2PS_STAGING_CACHE", str(tmp_path / "cache"))
    bucket = f"staging-{uuid.uuid4().hex[:12]}"
    client = make_bucket(s3_address, bucket)
    yield ObjectStore(s3_address, bucket, client)
    client.close()


@pytest.fixture
def proxy(s3_address: str) -> Iterator[Proxy]:
    passing = Proxy(s3_address)
    yield passing
    passing.close()


@pytest.fixture
def opened(object_store: ObjectStore) -> Iterator[Opener]:
    """Open stores on the test's bucket, each with its own cache as if in its own process."""
    stores: list[S3Store] = []

    def open_one(address: str | None = None, **options: int) -> S3Store:
        location = object_store.location(address)
        stores.append(S3Store(location, bucket=Bucket(location, **options)))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()
