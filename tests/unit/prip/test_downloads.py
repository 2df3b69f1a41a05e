"""Downloads: whole, in ranges, resumed, from files and from an object store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from contract.object_store import environment, make_bucket, server
from published import product
from unit.prip.conftest import Starter

from s2ps.inventory.publications import Publication, PublicationStore
from s2ps.inventory.store import Inventory

pytestmark = pytest.mark.unit


@pytest.fixture
def location(tmp_path: Path) -> Path:
    """Where products are kept makes no difference to their bytes."""
    return tmp_path / "inventory.sqlite"


@pytest.fixture
def package(products: tuple[Publication, ...]) -> tuple[str, bytes]:
    given = products[2]
    return f"/odata/v1/Products({given.id})/$value", Path(given.location.removeprefix("file://")).read_bytes()


def test_the_whole_package(client: httpx.Client, package: tuple[str, bytes], products: tuple[Publication, ...]) -> None:
    address, content = package
    answer = client.get(address)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-type"] == "application/x-tar"
    assert answer.headers["etag"] == f'"{products[2].checksums[0].value}"'
    assert answer.headers["content-disposition"] == f'attachment; filename="{products[2].name}"'
    head = client.head(address)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "4096", b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-99", 0, 100), ("bytes=4000-", 4000, 4096), ("bytes=-96", 4000, 4096)]
)
def test_a_range(client: httpx.Client, package: tuple[str, bytes], asked: str, first: int, last: int) -> None:
    address, content = package
    answer = client.get(address, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, content[first:last])
    assert answer.headers["content-range"] == f"bytes {first}-{last - 1}/4096"


def test_several_ranges(client: httpx.Client, package: tuple[str, bytes]) -> None:
    address, content = package
    answer = client.get(address, headers={"Range": "bytes=0-9,100-119,4090-"})
    assert answer.status_code == 206
    boundary = re.fullmatch(r"multipart/byteranges; boundary=(\w+)", answer.headers["content-type"])
    assert boundary is not None
    parts = answer.content.split(b"--" + boundary[1].encode())
    assert [part.partition(b"\r\n\r\n")[2][:-2] for part in parts[1:-1]] == [
        content[:10],
        content[100:120],
        content[4090:],
    ]


def test_a_changed_package_is_sent_whole_to_who_resumes(client: httpx.Client, package: tuple[str, bytes]) -> None:
    address, content = package
    etag = client.head(address).headers["etag"]
    same = client.get(address, headers={"Range": "bytes=10-", "If-Range": etag})
    other = client.get(address, headers={"Range": "bytes=10-", "If-Range": '"other"'})
    assert (same.status_code, same.content) == (206, content[10:])
    assert (other.status_code, other.content) == (200, content)


@pytest.mark.parametrize(("asked", "status"), [("bytes=5000-", 416), ("bytes=9-1", 400)])
def test_a_range_that_is_not_there(client: httpx.Client, package: tuple[str, bytes], asked: str, status: int) -> None:
    answer = client.get(package[0], headers={"Range": asked})
    assert (answer.status_code, answer.json()["error"]["target"]) == (status, "Range")
    if status == 416:
        assert answer.headers["content-range"] == "bytes */4096"


def test_ranges_in_other_units_are_not_looked_at(client: httpx.Client, package: tuple[str, bytes]) -> None:
    answer = client.get(package[0], headers={"Range": "lines=1-2"})
    assert (answer.status_code, answer.content) == (200, package[1])


def test_who_has_the_content_does_not_get_it_again(client: httpx.Client, package: tuple[str, bytes]) -> None:
    etag = client.head(package[0]).headers["etag"]
    for given in (etag, "*", f'"other", W/{etag}'):
        for method in ("GET", "HEAD"):
            answer = client.request(method, package[0], headers={"If-None-Match": given, "Range": "bytes=0-9"})
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert client.get(package[0], headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.get(package[0], headers={"If-Match": etag}).status_code == 200
    answer = client.get(package[0], headers={"If-Match": '"other"'})
    assert (answer.status_code, answer.json()["error"]["code"]) == (412, "PreconditionFailed")


def test_a_removed_package_is_not_found(
    client: httpx.Client, package: tuple[str, bytes], products: tuple[Publication, ...]
) -> None:
    Path(products[2].location.removeprefix("file://")).unlink()
    assert client.get(package[0]).status_code == 404


def test_an_odd_name_arrives_as_it_is(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    odd = products[9]
    head = client.head(f"/odata/v1/Products({odd.id})/$value")
    assert head.headers["content-disposition"] == f'attachment; filename="{odd.name}"'


def test_the_quicklook(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    address = f"/odata/v1/Products({products[2].id})/Quicklooks"
    (image,) = client.get(address).json()["value"]
    answer = client.get(f"{address}('{image['Image']}')/$value")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.content.startswith(b"\xff\xd8\xff")
    assert client.get(f"{address}('other.jpg')/$value").status_code == 404
    assert client.get(f"/odata/v1/Products({products[0].id})/Quicklooks").json()["value"] == []


@pytest.fixture
def in_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inventory: Inventory) -> Iterator[Publication]:
    """A product whose package lies in a bucket of a real S3 server."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    made = product(tmp_path, "S2B_in_a_bucket", size=5000)
    with server(tmp_path / "s3.log") as address:
        client = make_bucket(address, "packages")
        client.upload_file(made.location.removeprefix("file://"), "packages", "deep/S2B_in_a_bucket.tar")
        there = replace(made, location=f"s3://packages/deep/S2B_in_a_bucket.tar?endpoint={address}")
        yield PublicationStore(inventory, lambda _location: 5000).publish(there)
        client.close()


def test_a_package_in_a_bucket_is_fetched_from_there(start: Starter, in_bucket: Publication, tmp_path: Path) -> None:
    client = start(anonymous=True)
    content = (tmp_path / "S2B_in_a_bucket.tar").read_bytes()
    answer = client.get(f"/odata/v1/Products({in_bucket.id})/$value")
    assert answer.status_code == 307
    assert "X-Amz-Expires=600" in answer.headers["location"]
    whole = httpx.get(answer.headers["location"])
    assert (whole.content, whole.headers["content-type"]) == (content, "application/x-tar")
    assert whole.headers["content-disposition"] == 'attachment; filename="S2B_in_a_bucket.tar"'
    part = httpx.get(answer.headers["location"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, content[10:20])
    head = client.head(f"/odata/v1/Products({in_bucket.id})/$value")
    assert httpx.head(head.headers["location"]).headers["content-length"] == "5000"
