"""What the routes share: one service over one inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from s2ps.inventory.store import Inventory
from s2ps.inventory.usage import UsageStore
from s2ps.prip.access import Access, User
from s2ps.prip.accounts import Accounts
from s2ps.prip.catalogue import Catalogue
from s2ps.prip.delivery import Delivery
from s2ps.prip.quota import Quota
from s2ps.prip.settings import PripSettings
from s2ps.prip.tokens import Tokens

ODATA = "/odata/v1"
STAC = "/stac"


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of a running service."""

    catalogue: Catalogue
    access: Access
    tokens: Tokens
    quota: Quota
    delivery: Delivery


def make_service(inventory: Inventory, settings: PripSettings, accounts: Accounts, secret: str) -> Service:
    """Put the parts of a service together."""
    tokens = Tokens(settings, secret)
    quota = Quota(UsageStore(inventory.engine))
    return Service(
        catalogue=Catalogue(inventory.engine),
        access=Access(settings, accounts, tokens),
        tokens=tokens,
        quota=quota,
        delivery=Delivery(quota, settings.signed_url_seconds),
    )


def service_of(request: Request) -> Service:
    """Return the service a request is for."""
    service: Service = request.app.state.service
    return service


async def _the_service(request: Request) -> Service:
    return service_of(request)


def user_of(request: Request) -> User:
    """Return who asks; refuse who may not come in, and who asks too often."""
    service = service_of(request)
    user = service.access.user(request)
    service.quota.request(user)
    return user


def root_of(request: Request) -> str:
    """Return the address of the OData service, without slash at the end."""
    return f"{str(request.base_url).rstrip('/')}{ODATA}"


AnyUser = Annotated[User, Depends(user_of)]
TheService = Annotated[Service, Depends(_the_service)]
"""Given without a thread, as all dependencies that wait for nothing."""
