"""The web service: `app()` makes it from the environment, for `uvicorn --factory s2ps.prip.app:app`."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from s2ps.inventory.store import Inventory
from s2ps.prip.accounts import USERS_FILE, Accounts
from s2ps.prip.downloads import router as downloads
from s2ps.prip.downloads import token_router
from s2ps.prip.odata.errors import ODataError, error_document
from s2ps.prip.routes import router as products
from s2ps.prip.service import ODATA, STAC, Service, make_service, service_of
from s2ps.prip.settings import PripSettings
from s2ps.prip.stac.api import stac_application
from s2ps.prip.tokens import kept_secret
from s2ps.settings import Settings

_LOG = logging.getLogger("s2ps.prip")
KEY_FILE = "prip-token.key"


def app() -> FastAPI:
    """Return the service that the environment describes (S2PS_*, S2PS_PRIP_*)."""
    settings, own = Settings.load(), PripSettings.load()
    inventory = Inventory(settings.inventory_location)
    accounts = Accounts(own.users or settings.place("home") / USERS_FILE)
    secret = own.token_secret.get_secret_value() if own.token_secret else kept_secret(settings.place("home") / KEY_FILE)
    return application(make_service(inventory, own, accounts, secret), own)


def application(service: Service, settings: PripSettings) -> FastAPI:
    """Return the web application of a service."""
    made = FastAPI(
        title="S2PS: published Sentinel-2 products",
        description="OData v4 (PRIP) below /odata/v1, STAC below /stac.",
        version="1",
        docs_url="/docs",
        redoc_url=None,
    )
    made.state.service = service
    made.include_router(products)
    made.include_router(downloads)
    made.include_router(token_router)
    made.mount(STAC, stac_application(service))
    made.add_api_route("/", _entry, include_in_schema=False)
    made.add_api_route("/healthz", _health, include_in_schema=False)
    made.add_exception_handler(ODataError, _refused)
    made.add_exception_handler(HTTPException, _not_here)
    made.add_exception_handler(RequestValidationError, _not_valid)
    made.add_exception_handler(Exception, _failed)
    if settings.public_url is not None:
        made.add_middleware(_SeenFromOutside, address=str(settings.public_url))
    return made


class _SeenFromOutside:
    """Gives requests the address under which clients know the service, so that links in answers lead there."""

    def __init__(self, app: ASGIApp, address: str) -> None:
        parts = urlsplit(address)
        self._app = app
        self._scheme = parts.scheme
        self._host = parts.netloc.encode("ascii")
        self._path = parts.path.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [(name, value) for name, value in scope["headers"] if name != b"host"]
            path = scope["path"] if scope["path"].startswith(f"{self._path}/") else self._path + scope["path"]
            scope = {**scope, "scheme": self._scheme, "headers": [*headers, (b"host", self._host)]}
            scope |= {"root_path": self._path, "path": path}
        await self._app(scope, receive, send)


async def _entry(request: Request) -> JSONResponse:
    base = str(request.base_url).rstrip("/")
    places = {"odata": f"{base}{ODATA}/", "stac": f"{base}{STAC}/", "token": f"{base}/oauth2/token"}
    return JSONResponse(places | {"documentation": f"{base}/docs"})


def _health(request: Request) -> PlainTextResponse:
    service_of(request).catalogue.answers()
    return PlainTextResponse("fine\n")


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ODataError):
        raise error
    return JSONResponse(error.document, error.status, headers=error.headers)


async def _not_here(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    message = f"there is no {request.url.path[:200]}" if error.status_code == 404 else str(error.detail)
    return JSONResponse(error_document(error.status_code, message), error.status_code, headers=error.headers)


async def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return JSONResponse(error_document(400, wrong[:1000]), 400)


async def _failed(_request: Request, error: Exception) -> JSONResponse:
    _LOG.error("a request failed", exc_info=error)
    return JSONResponse(error_document(500, "the service failed; its log says why"), 500)
