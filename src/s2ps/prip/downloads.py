"""Downloads of products and quick-looks, and tokens for those who prefer them to a password."""

from __future__ import annotations

import mimetypes
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy import Row
from starlette.responses import JSONResponse, Response

from s2ps.prip.delivery import Content
from s2ps.prip.odata.documents import file_name
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.routes import ProductId
from s2ps.prip.service import ODATA, AnyUser, TheService

router = APIRouter(prefix=ODATA, tags=["Downloads"])
token_router = APIRouter(tags=["Tokens"])
_CHECKSUMS = ("SHA3-256", "SHA256", "SHA-256", "BLAKE3", "MD5")
_TOKEN_HEADERS = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@router.head("/Products({product_id})/$value", include_in_schema=False)
@router.get("/Products({product_id})/$value", response_class=Response)
def value(request: Request, service: TheService, user: AnyUser, key: ProductId) -> Response:
    """Return the package of a product: whole, in ranges, or the address where it is (307)."""
    row = service.catalogue.product(key)
    content = Content(row.location, row.content_type, row.name, _etag(row), row.content_length)
    return service.delivery.response(content, user, request.method)


@router.head("/Products({product_id})/Quicklooks({image})/$value", include_in_schema=False)
@router.get("/Products({product_id})/Quicklooks({image})/$value", response_class=Response)
def quicklook(request: Request, service: TheService, user: AnyUser, key: ProductId, image: str) -> Response:
    """Return the image of a quick-look."""
    row = service.catalogue.product(key)
    if row.quicklook is None or image.removeprefix("Image=").strip("'") not in (file_name(row.quicklook), ""):
        raise ODataError(404, f"product {key} has no quick-look {image[:200]}", "Quicklooks")
    name = file_name(row.quicklook)
    media_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return service.delivery.response(Content(row.quicklook, media_type, name), user, request.method)


@token_router.post("/oauth2/token")
def token(
    request: Request,
    service: TheService,
    grant_type: Annotated[str, Form()],
    username: Annotated[str | None, Form()] = None,
    password: Annotated[str | None, Form()] = None,
    client_id: Annotated[str | None, Form()] = None,
    client_secret: Annotated[str | None, Form()] = None,
) -> JSONResponse:
    """Return a bearer token for a user (grant `password`) or a service account (grant `client_credentials`)."""
    if grant_type not in ("password", "client_credentials"):
        return _refused("unsupported_grant_type", 400)
    given = (username, password) if grant_type == "password" else (client_id, client_secret)
    try:
        if grant_type == "client_credentials" and client_secret is None:
            user = _of_header(request, service)
        elif given[0] is None or given[1] is None:
            return _refused("invalid_request", 400)
        else:
            user = service.access.checked(request, given[0], given[1]).name
    except ODataError as error:
        if error.status == 429:
            raise
        return _refused("invalid_client" if grant_type == "client_credentials" else "invalid_grant", 401)
    return JSONResponse(service.tokens.give(user), headers=_TOKEN_HEADERS)


def _of_header(request: Request, service: TheService) -> str:
    scheme, _ = get_authorization_scheme_param(request.headers.get("authorization"))
    if scheme.lower() != "basic":
        raise ODataError(401, "no credentials are given")
    return service.access.user(request).name


def _refused(error: str, status: int) -> JSONResponse:
    headers = {**_TOKEN_HEADERS, **({"WWW-Authenticate": 'Basic realm="PRIP"'} if status == 401 else {})}
    return JSONResponse({"error": error}, status, headers=headers)


def _etag(row: Row[Any]) -> str | None:
    by_name = {each["Algorithm"].upper(): each["Value"].lower() for each in row.checksums}
    return next((by_name[name] for name in _CHECKSUMS if by_name.get(name, "").isalnum()), None)
