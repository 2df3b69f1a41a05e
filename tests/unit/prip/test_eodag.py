"""A client that others wrote finds and fetches products: eodag, with this service as a provider."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.prip.conftest import Starter

from s2ps.inventory.publications import Publication
from s2ps.prip.accounts import Account, hashed, keep

# eodag and what it uses warn about their own ways.
pytestmark = [pytest.mark.unit, pytest.mark.filterwarnings("default")]
PROVIDER = Path(__file__).with_name("eodag.yml")


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "inventory.sqlite"


PASSWORD = "correct-horse-battery"  # noqa: S105
BASIC = f"""type: GenericAuth
    method: basic
    credentials:
      username: alice
      password: {PASSWORD}"""
BEARER = f"""type: TokenAuth
    auth_uri: '{{address}}/oauth2/token'
    req_data:
      grant_type: password
    token_type: json
    token_key: access_token
    token_expiration_key: expires_in
    retrieve_headers: {{{{}}}}
    headers:
      Authorization: 'Bearer {{{{token}}}}'
    credentials:
      username: alice
      password: {PASSWORD}"""


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_eodag_searches_and_downloads(
    start: Starter, products: tuple[Publication, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setenv("EODAG_CFG_DIR", str(tmp_path / "eodag"))
    monkeypatch.setenv("EODAG_EXT_COLLECTIONS_CFG_URI", "")
    from eodag import EODataAccessGateway

    keep(tmp_path / "users.yaml", Account(name="alice", password=hashed(PASSWORD)))
    client = start()
    assert client.get("/odata/v1/Products").status_code == 401
    address = str(client.base_url).rstrip("/")
    auth = (BASIC if scheme == "basic" else BEARER).format(address=address)
    gateway = EODataAccessGateway()
    gateway.update_providers_config(PROVIDER.read_text().format(address=address, auth=auth))
    asked = {"provider": "s2ps", "collection": "S2_MSI_L1C", "raise_errors": True, "count": True}
    every = gateway.search(**asked)
    assert sorted(each.properties["id"] for each in every) == sorted(products[number].name[:-4] for number in (2, 3, 5))
    assert every.number_matched == 3
    clear = gateway.search(
        **asked, geom=(10, 45, 11, 46.5), start="2026-07-01", end="2026-07-02", **{"eo:cloud_cover": 20}
    )
    (found,) = clear
    assert found.properties["eo:cloud_cover"] == 12.5
    orbit = gateway.search(**asked, **{"sat:absolute_orbit": 57000})
    assert [each.properties["id"] for each in orbit] == [products[5].name[:-4]]
    path = Path(gateway.download(found, output_dir=str(tmp_path / "fetched"), extract=False))
    if path.is_dir():
        (path,) = path.iterdir()
    assert path.read_bytes() == Path(products[2].location.removeprefix("file://")).read_bytes()
