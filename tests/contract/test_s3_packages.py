"""Packages in a bucket: sent in parts, visible when complete, the same bytes as in a folder."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.conftest import ObjectStore
from contract.object_store import SLOW_DOWN, Proxy, names

from s2ps.model.errors import ConfigurationError, StagingError
from s2ps.publication.folder_packages import FolderPackages
from s2ps.publication.packages import write_package
from s2ps.publication.s3_packages import PART_BYTES, S3Packages

pytestmark = pytest.mark.integration

SMALL = "S2B_OPER_MSI_L0__GR_S2PS_20260701T120000_S20260701T101559_D01_N05.00"
LARGE = "S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE"
DAY = "L1C/2026/07/01"


@pytest.fixture
def store(object_store: ObjectStore, proxy: Proxy) -> Iterator[S3Packages]:
    """A package store in a bucket, reached through the proxy."""
    found = S3Packages(object_store.location(proxy.address))
    yield found
    found.bucket.close()


@pytest.fixture
def products(tmp_path: Path) -> tuple[Path, Path]:
    """A small product, and one of several parts."""
    for name, size in ((SMALL, 1000), (LARGE, 2 * PART_BYTES + 4711)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.safe").write_text("<manifest/>")
        (tmp_path / name / "image.jp2").write_bytes(os.urandom(size))
    return tmp_path / SMALL, tmp_path / LARGE


def uploads(object_store: ObjectStore) -> int:
    """Return how many uploads have begun and not ended."""
    return len(object_store.client.list_multipart_uploads(Bucket=object_store.bucket).get("Uploads", ()))


def test_packages_are_the_same_as_in_a_folder(
    store: S3Packages, products: tuple[Path, Path], object_store: ObjectStore, tmp_path: Path
) -> None:
    for product in products:
        there = write_package(product, store, DAY)
        here = write_package(product, FolderPackages(tmp_path / "folder"), DAY)
        assert (there.size, there.md5, there.sha256) == (here.size, here.md5, here.sha256)
        key = store.key(there.location)
        assert there.location == store.uri(key)
        assert store.size(key) == there.size
        answer = object_store.client.get_object(Bucket=object_store.bucket, Key=f"pre/fix/{key}")
        assert answer["ContentType"] == there.content_type
        assert hashlib.sha256(answer["Body"].read()).hexdigest() == there.sha256
    assert store.names(DAY) == (f"{LARGE}.zip", f"{SMALL}.tar")
    assert store.names("L1C") == ("2026/",)
    assert uploads(object_store) == 0


def test_nothing_is_visible_when_a_part_fails(
    store: S3Packages, products: tuple[Path, Path], object_store: ObjectStore, proxy: Proxy
) -> None:
    proxy.before = lambda _method, path: (503, SLOW_DOWN) if "partNumber=2" in path else None
    with pytest.raises(StagingError, match="send a part of L1C"):
        write_package(products[1], store, DAY)
    assert names(object_store.client, object_store.bucket) == []
    assert uploads(object_store) == 0


def test_lost_answer_to_the_last_request_is_recognised(
    store: S3Packages, products: tuple[Path, Path], object_store: ObjectStore, proxy: Proxy
) -> None:
    lost: list[str] = []

    def lose(method: str, path: str, body: bytes) -> bytes:
        if method == "POST" and "uploadId=" in path and not lost:
            lost.append(path)
            raise ConnectionResetError
        return body

    proxy.after = lose
    package = write_package(products[1], store, DAY)
    assert lost
    assert store.size(store.key(package.location)) == package.size


def test_killed_packager_leaves_an_invisible_upload_that_is_swept(
    products: tuple[Path, Path], object_store: ObjectStore, store: S3Packages, proxy: Proxy
) -> None:
    def hang(_method: str, path: str) -> None:
        if "partNumber=2" in path:
            time.sleep(30)

    proxy.before = hang
    script = "import sys; from pathlib import Path; from s2ps.publication.package_store import open_packages\n"
    script += "from s2ps.publication.packages import write_package\n"
    script += f"write_package(Path(sys.argv[1]), open_packages(sys.argv[2]), {DAY!r})"
    process = subprocess.Popen([sys.executable, "-c", script, products[1], str(store.location)])
    try:
        end = time.monotonic() + 60
        while not any("partNumber=2" in line for line in proxy.seen):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert names(object_store.client, object_store.bucket) == []
    assert uploads(object_store) == 1
    assert store.sweep(datetime.now(UTC) + timedelta(minutes=1)) == 1
    proxy.before = lambda _method, _path: None
    package = write_package(products[1], store, DAY)
    assert store.size(store.key(package.location)) == package.size


def test_small_objects_are_written_read_and_removed(store: S3Packages) -> None:
    store.write("stac/catalog.json", b"{}", "application/json")
    store.write("stac/catalog.json", b"{1}", "application/json")
    assert store.read("stac/catalog.json") == b"{1}"
    with store.lock("stac/catalog.json"):
        store.delete("stac/catalog.json", "stac/none.json")
    assert store.read("stac/catalog.json") is None
    assert store.size("stac/catalog.json") is None
    assert store.names("") == ()


def test_uri_of_another_store_is_refused(store: S3Packages) -> None:
    assert store.key(store.uri("L0/a b.tar")) == "L0/a b.tar"
    with pytest.raises(ConfigurationError):
        store.key("s3://other/L0/a.tar")
