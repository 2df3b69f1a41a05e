"""The S3 servers for the tests of this folder, and a bucket for each test."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from contract.object_store import ACCESS, SECRET, Proxy, environment, make_bucket, remove_bucket, server

from s2ps.staging.s3 import S3Store
from s2ps.staging.s3_bucket import Bucket
from s2ps.staging.s3_location import S3Location

Opener = Callable[..., S3Store]


@dataclass(frozen=True, slots=True)
class Server:
    """The address of an S3 server, and who may use it."""

    address: str
    access: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A bucket on a real server, and a plain client to look into it."""

    address: str
    bucket: str
    client: Any
    secret: str = field(repr=False)

    def location(self, address: str | None = None) -> S3Location:
        return S3Location(self.bucket, "pre/fix", address or self.address)


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("moto") / "server.log") as address:
        yield Server(address, ACCESS, SECRET)


@pytest.fixture(scope="session")
def radosgw() -> Server:
    """The S3 server of the test cluster; its keys are those of the environment when the session starts."""
    address = os.environ.get("S2PS_TEST_S3")
    if not address:
        pytest.skip("no test cluster: make test-cluster-up, then source its env.sh")
    return Server(address, os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture(scope="session", params=["moto", pytest.param("radosgw", marks=pytest.mark.cluster)])
def s3_server(request: pytest.FixtureRequest) -> Server:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Server)
    return found


@contextmanager
def bucket_on(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """Make a bucket that goes with the test, and the environment the processes of the test see."""
    for name in ("AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment(folder, server.access, server.secret).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("S2PS_STAGING_CACHE", str(folder / "cache"))
    monkeypatch.setenv("S2PS_STAGING_PATIENCE_S", "0")
    bucket = f"staging-{uuid.uuid4().hex[:12]}"
    client = make_bucket(server.address, bucket)
    yield ObjectStore(server.address, bucket, client, server.secret)
    remove_bucket(client, bucket)
    client.close()


@pytest.fixture
def object_store(s3_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    with bucket_on(s3_server, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def proxy(s3_server: Server) -> Iterator[Proxy]:
    passing = Proxy(s3_server.address)
    yield passing
    passing.close()


@pytest.fixture
def cephfs() -> Iterator[tuple[Path, Path]]:
    """A folder of CephFS, seen by two clients."""
    roots = [os.environ.get(name) for name in ("S2PS_TEST_CEPHFS", "S2PS_TEST_CEPHFS_2")]
    if not all(roots):
        pytest.skip("no test cluster: make test-cluster-up, then source its env.sh")
    name = f"contract-{uuid.uuid4().hex[:12]}"
    first, second = (Path(str(root), name) for root in roots)
    first.mkdir()
    yield first, second
    shutil.rmtree(first)


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
