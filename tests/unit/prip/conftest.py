"""The web service over a small set of products, in SQLite and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from postgres import postgresql  # noqa: F401
from published import publish, small_set
from serving import serving
from unit.inventory.conftest import inventory, location  # noqa: F401

from s2ps.inventory.publications import Publication
from s2ps.inventory.store import Inventory
from s2ps.prip.accounts import Accounts
from s2ps.prip.app import application
from s2ps.prip.service import make_service
from s2ps.prip.settings import PripSettings

SECRET = "secret of the tests, long enough for HS256"  # noqa: S105
Starter = Callable[..., httpx.Client]


@pytest.fixture
def products(inventory: Inventory, tmp_path: Path) -> tuple[Publication, ...]:  # noqa: F811
    folder = tmp_path / "packages"
    folder.mkdir()
    return publish(inventory, small_set(folder))


@pytest.fixture
def start(inventory: Inventory, tmp_path: Path) -> Iterator[Starter]:  # noqa: F811
    """Starts the service with settings, and gives a client for it."""
    with ExitStack() as stack:

        def begin(**settings: object) -> httpx.Client:
            own = PripSettings(**settings)
            service = make_service(inventory, own, Accounts(tmp_path / "users.yaml"), SECRET)
            address = stack.enter_context(serving(application(service, own)))
            return stack.enter_context(httpx.Client(base_url=address, timeout=30))

        yield begin


@pytest.fixture
def client(start: Starter, products: tuple[Publication, ...]) -> httpx.Client:
    """A client that needs no password."""
    return start(anonymous=True)


@pytest.fixture(scope="session")
def open_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service over SQLite that stays as it is."""
    folder = tmp_path_factory.mktemp("prip")
    kept = Inventory(folder / "inventory.sqlite")
    publish(kept, small_set(folder))
    own = PripSettings(anonymous=True)
    service = make_service(kept, own, Accounts(folder / "users.yaml"), SECRET)
    with serving(application(service, own)) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client
