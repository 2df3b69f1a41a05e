"""The STAC API, by stac-fastapi, over the same inventory as the OData service."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Annotated, Any, Self

import attr
from fastapi import Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import (
    BaseModel,
    ModelWrapValidatorHandler,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from sqlalchemy import func, select
from stac_fastapi.api.app import StacApi
from stac_fastapi.api.models import ItemCollectionUri
from stac_fastapi.types.config import ApiSettings
from stac_fastapi.types.core import BaseCoreClient
from stac_fastapi.types.errors import NotFoundError
from stac_fastapi.types.search import BaseSearchGetRequest, BaseSearchPostRequest
from starlette.responses import JSONResponse

from s2ps.inventory.publication_tables import PUBLICATIONS
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.odata.operands import is_text
from s2ps.prip.service import STAC, Service, service_of, user_of
from s2ps.prip.service import root_of as odata_root
from s2ps.prip.stac.items import GEOJSON, VERSION, collection_document, item_document, link
from s2ps.prip.stac.searching import Search, find

_REMEMBERED_S = 60
_Token = Annotated[str | None, Query(description="Where the page starts; follow the link `next`.")]


@attr.s
class SearchGet(BaseSearchGetRequest):
    """A search by GET, with the token of a page."""

    token: _Token = attr.ib(default=None)


class SearchPost(BaseSearchPostRequest):
    """A search by POST, with the token of a page."""

    token: str | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _is_object(cls, given: Any, check: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(given, dict | BaseModel):
            raise ValueError("no JSON object, or Content-Type is not application/json")  # noqa: TRY004  pydantic
        return check(given)

    @field_validator("datetime", mode="wrap", check_fields=False)
    @classmethod
    def _in_range(cls, value: Any, check: ValidatorFunctionWrapHandler) -> Any:
        try:
            return check(value)
        except OverflowError as error:
            raise ValueError("a time is outside the years 1 to 9999") from error


@attr.s
class ItemsGet(ItemCollectionUri):
    """The items of a collection, with the token of a page."""

    token: _Token = attr.ib(default=None)


@attr.s
class Client(BaseCoreClient):
    """Answers the questions of the API."""

    _known: tuple[float, dict[str, datetime]] = attr.ib(default=(float("-inf"), {}))

    def post_search(self, search_request: BaseSearchPostRequest, **kwargs: Any) -> Any:
        """Search by POST."""
        asked = SearchPost.model_validate(search_request)
        shape = asked.intersects.model_dump(mode="json", exclude_none=True) if asked.intersects else None
        search = Search.of(asked.collections, asked.ids, asked.bbox, shape, asked.datetime, asked.limit, asked.token)
        return self._found(kwargs["request"], search)

    def get_search(
        self,
        collections: list[str] | None = None,
        ids: list[str] | None = None,
        bbox: Any = None,
        intersects: Any = None,
        datetime: str | None = None,
        limit: int | None = 10,
        token: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Search by GET."""
        search = Search.of(collections, ids, bbox, intersects, datetime, limit, token)
        return self._found(kwargs["request"], search)

    def item_collection(
        self,
        collection_id: str,
        bbox: Any = None,
        datetime: str | None = None,
        limit: int | None = 10,
        token: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return items of a collection."""
        self.get_collection(collection_id, **kwargs)
        search = Search.of([collection_id], None, bbox, None, datetime, limit, token)
        return self._found(kwargs["request"], search)

    def get_item(self, item_id: str, collection_id: str, **kwargs: Any) -> Any:
        """Return one item."""
        request: Request = kwargs["request"]
        rows, _ = find(service_of(request).catalogue, Search.of([collection_id], [item_id]))
        if not rows:
            raise NotFoundError(f"there is no item {item_id} in collection {collection_id}")
        return item_document(rows[0], _root(request), odata_root(request))

    def all_collections(self, **kwargs: Any) -> Any:
        """Return the collections that have items."""
        request: Request = kwargs["request"]
        found = self._collections(request)
        documents = [collection_document(name, first, _root(request)) for name, first in sorted(found.items())]
        links = [link("root", f"{_root(request)}/"), link("self", f"{_root(request)}/collections")]
        return {"collections": documents, "links": links}

    def get_collection(self, collection_id: str, **kwargs: Any) -> Any:
        """Return one collection."""
        request: Request = kwargs["request"]
        first = self._collections(request).get(collection_id) or _first(request, collection_id)
        if first is None:
            raise NotFoundError(f"there is no collection {collection_id}")
        return collection_document(collection_id, first, _root(request))

    def _collections(self, request: Request) -> dict[str, datetime]:
        """Return the collections with the begin of their first observation, as it was at most a minute ago."""
        if self._known[0] + _REMEMBERED_S < time.monotonic():
            columns = PUBLICATIONS.c
            query = select(columns.collection, func.min(columns.content_start)).group_by(columns.collection)
            with service_of(request).catalogue.reading() as connection:
                rows = connection.execute(query.where(columns.collection.is_not(None))).all()
            self._known = (time.monotonic(), {row[0]: row[1] for row in rows})
        return self._known[1]

    def _found(self, request: Request, search: Search) -> dict[str, Any]:
        rows, token = find(service_of(request).catalogue, search)
        root, odata = _root(request), odata_root(request)
        links = [link("root", f"{root}/"), link("self", str(request.url), GEOJSON)]
        if token is not None:
            links.append(_next(request, token))
        features = [item_document(row, root, odata) for row in rows]
        return {
            "type": "FeatureCollection",
            "features": features,
            "links": links,
            "numberReturned": len(features),
        }


def _first(request: Request, collection: str) -> datetime | None:
    """Return the begin of the first observation of a collection, which an index knows; None: there is none."""
    if not is_text(collection):
        return None
    query = select(func.min(PUBLICATIONS.c.content_start)).where(PUBLICATIONS.c.collection == collection)
    with service_of(request).catalogue.reading() as connection:
        found: datetime | None = connection.execute(query).scalar()
    return found


def stac_application(service: Service) -> FastAPI:
    """Return the STAC API as an application to be mounted; it asks for the same users as the OData service."""
    settings = ApiSettings(openapi_url="/api", docs_url="/api.html", enable_response_models=False)
    made = FastAPI(
        title="S2PS: published Sentinel-2 products (STAC)",
        version="1",
        openapi_url=settings.openapi_url,
        docs_url=settings.docs_url,
        redoc_url=None,
        dependencies=[Depends(user_of)],
    )
    made.state.service = service
    made.add_exception_handler(ODataError, _refused)
    api = StacApi(
        settings=settings,
        client=Client(),
        app=made,
        stac_version=VERSION,
        title="Sentinel-2 products",
        description="Sentinel-2 products of this service",
        search_get_request_model=SearchGet,
        search_post_request_model=SearchPost,
        items_get_request_model=ItemsGet,
    )
    made.state.router_prefix = STAC
    made.add_exception_handler(RequestValidationError, _not_valid)
    app: FastAPI = api.app
    return app


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, ODataError):
        raise error
    document = {"code": error.document["error"]["code"], "description": error.message}
    return JSONResponse(document, error.status, headers=error.headers)


async def _not_valid(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    wrong = "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return JSONResponse({"code": "BadRequest", "description": wrong[:1000]}, 400)


def _root(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{STAC}"


def _next(request: Request, token: str) -> dict[str, Any]:
    found = link("next", str(request.url.remove_query_params("token")), GEOJSON) | {"method": request.method}
    if request.method == "POST":
        return found | {"body": {"token": token}, "merge": True}
    return found | {"href": str(request.url.include_query_params(token=token))}
