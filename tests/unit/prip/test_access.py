"""Who may come in, and how much of the service one may use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from jwt.algorithms import RSAAlgorithm
from serving import serving
from unit.prip.conftest import SECRET, Starter

from s2ps.inventory.publications import Publication
from s2ps.prip.accounts import Account, hashed, keep

pytestmark = pytest.mark.unit
PRODUCTS = "/odata/v1/Products"
PASSWORD = "correct horse: battery"  # noqa: S105


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "inventory.sqlite"


@pytest.fixture
def alice(tmp_path: Path) -> tuple[str, str]:
    keep(tmp_path / "users.yaml", Account(name="alice", password=hashed(PASSWORD)))
    return ("alice", PASSWORD)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/", PRODUCTS, "/$metadata", f"{PRODUCTS}/$count"])
def test_nobody_comes_in_without_a_password(start: Starter, alice: tuple[str, str], path: str) -> None:
    client = start()
    path = path if path.startswith("/odata") else f"/odata/v1{path}"
    answer = client.get(path)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert client.get("/stac/search").status_code == 401
    assert client.get("/healthz").status_code == 200
    assert client.get(path, auth=alice).status_code == 200


def test_a_service_that_is_open_without_users_closes_with_the_first_one(start: Starter, tmp_path: Path) -> None:
    client = start(open_without_users=True)
    assert client.get(PRODUCTS).status_code == 200
    keep(tmp_path / "users.yaml", Account(name="alice", password=hashed(PASSWORD)))
    assert client.get(PRODUCTS).status_code == 401
    assert client.get(PRODUCTS, auth=("alice", PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !",
        "Basic YWxpY2U=",
        "Bearer",
        "Bearer x.y.z",
        "Digest a",
        "Basic YWxpY2U6d3Jvbmc=",
        "Basic /////w==",
    ],
)
def test_wrong_credentials_are_refused(start: Starter, alice: tuple[str, str], header: str) -> None:
    assert start(anonymous=True).get(PRODUCTS, headers={"Authorization": header}).status_code == 401


def test_passwords_are_kept_as_hashes_and_changes_work_at_once(
    start: Starter, alice: tuple[str, str], tmp_path: Path
) -> None:
    users = tmp_path / "users.yaml"
    assert PASSWORD not in users.read_text()
    assert users.stat().st_mode & 0o077 == 0
    client = start()
    assert client.get(PRODUCTS, auth=alice).status_code == 200
    keep(users, Account(name="alice", password=hashed("another password")))
    assert client.get(PRODUCTS, auth=alice).status_code == 401
    assert client.get(PRODUCTS, auth=("alice", "another password")).status_code == 200


def test_who_guesses_passwords_has_to_wait(start: Starter, alice: tuple[str, str]) -> None:
    client = start()
    answers = [client.get(PRODUCTS, auth=("alice", f"guess {number}")).status_code for number in range(11)]
    assert answers == [401] * 10 + [429]
    assert int(client.get(PRODUCTS, auth=alice).headers["retry-after"]) > 0


def test_tokens_of_the_service(start: Starter, alice: tuple[str, str]) -> None:
    client = start()
    name, password = alice
    forms: list[dict[str, Any]] = [
        {"data": {"grant_type": "password", "username": name, "password": password}},
        {"data": {"grant_type": "client_credentials", "client_id": name, "client_secret": password}},
        {"data": {"grant_type": "client_credentials"}, "auth": alice},
    ]
    for form in forms:
        given = client.post("/oauth2/token", **form).raise_for_status().json()
        assert (given["token_type"], given["expires_in"]) == ("Bearer", 3600)
        assert client.get(PRODUCTS, headers=bearer(given["access_token"])).status_code == 200
    refused = client.post("/oauth2/token", data={"grant_type": "password", "username": name, "password": "x"})
    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_grant"})
    assert client.post("/oauth2/token", data={"grant_type": "password"}).status_code == 400
    assert client.post("/oauth2/token", data={"grant_type": "implicit"}).json() == {"error": "unsupported_grant_type"}


def test_tokens_that_are_old_forged_or_of_nobody(start: Starter, alice: tuple[str, str]) -> None:
    client = start()
    claims = {"iss": "s2ps-prip", "sub": "alice", "exp": int(time.time()) + 60}
    other = "another secret that is long enough for HS256"
    wrong = [
        jwt.encode({**claims, "exp": int(time.time()) - 1}, SECRET, "HS256"),
        jwt.encode(claims, other, "HS256"),
        jwt.encode(claims, None, "none"),
        jwt.encode({**claims, "sub": "bob"}, SECRET, "HS256"),
        jwt.encode({**claims, "iss": "else"}, SECRET, "HS256"),
        jwt.encode({"iss": "s2ps-prip", "sub": "alice"}, SECRET, "HS256"),
    ]
    assert [client.get(PRODUCTS, headers=bearer(each)).status_code for each in wrong] == [401] * 6
    assert client.get(PRODUCTS, headers=bearer(jwt.encode(claims, SECRET, "HS256"))).status_code == 200


@pytest.fixture
def issuer() -> Iterator[tuple[str, rsa.RSAPrivateKey]]:
    """Another party that gives tokens, with its keys on a page."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    page = FastAPI()
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": "one", "use": "sig", "alg": "RS256"}
    page.add_api_route("/keys", lambda: {"keys": [public]})
    with serving(page) as address:
        yield address, key


def test_tokens_of_another_issuer(start: Starter, issuer: tuple[str, rsa.RSAPrivateKey]) -> None:
    address, key = issuer
    client = start(issuer=address, issuer_keys=f"{address}/keys", audience="prip", issuer_user_claim="email")
    claims = {"iss": address, "aud": "prip", "sub": "1", "email": "a@b.c", "exp": int(time.time()) + 60}

    def status(claims: dict[str, Any], signed_by: rsa.RSAPrivateKey = key) -> int:
        token = jwt.encode(claims, signed_by, "RS256", headers={"kid": "one"})
        return client.get(PRODUCTS, headers=bearer(token)).status_code

    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert status(claims) == 200
    assert status({**claims, "aud": "other"}) == 401
    assert status({**claims, "iss": "other"}) == 401
    assert status({**claims, "exp": int(time.time()) - 60}) == 401
    assert status({**claims, "email": ""}) == 401
    assert status(claims, stranger) == 401


def test_requests_per_minute(start: Starter, alice: tuple[str, str]) -> None:
    client = start(requests_per_minute=5, anonymous=True)
    answers = [client.get(PRODUCTS, auth=alice) for _ in range(12)]
    refused = [each for each in answers if each.status_code == 429]
    assert 2 <= len(refused) <= 7
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60
    assert client.get(PRODUCTS).status_code == 200


def test_volume_of_a_day(start: Starter, products: tuple[Publication, ...]) -> None:
    client = start(anonymous=True, gigabytes_per_day=5e-6)
    address = f"{PRODUCTS}({products[2].id})/$value"
    assert client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206
    assert [client.get(address).status_code for _ in range(2)] == [200, 200]
    assert _until(lambda: client.get(address).status_code == 429)
    refused = client.get(address)
    assert 0 < int(refused.headers["retry-after"]) <= 86_401
    assert client.get(PRODUCTS).status_code == 200


def test_parallel_downloads(start: Starter, products: tuple[Publication, ...]) -> None:
    big = Path(products[4].location.removeprefix("file://"))
    with big.open("r+b") as file:
        file.truncate(2**28)
    client = start(anonymous=True, parallel_downloads=1)
    address = f"{PRODUCTS}({products[4].id})/$value"
    with client.stream("GET", address) as first:
        assert first.status_code == 200
        pieces = first.iter_bytes(1024)
        next(pieces)
        with client.stream("GET", address) as second:
            assert (second.status_code, second.headers.get("retry-after")) == (429, "10")
        assert client.head(address).status_code == 200
    assert _until(lambda: client.get(address, headers={"Range": "bytes=0-9"}).status_code == 206)


def _until(holds: Any) -> bool:
    return any(holds() or time.sleep(0.1) for _ in range(100))
