"""The OData service: service document, metadata, products and what belongs to them."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from s2ps.prip.answers import VERSION, answer, context, products_document
from s2ps.prip.odata.documents import attribute_document, product_documents, quicklook_documents
from s2ps.prip.odata.errors import ODataError, bad
from s2ps.prip.odata.operands import is_text
from s2ps.prip.odata.options import LARGEST_PAGE, parse_options
from s2ps.prip.odata.options import Query as Asked
from s2ps.prip.odata.properties import BY_NAME
from s2ps.prip.service import ODATA, TheService, root_of, service_of, user_of

router = APIRouter(prefix=ODATA, tags=["OData"], dependencies=[Depends(user_of)])
_CSDL = files("s2ps.prip.odata").joinpath("csdl.xml").read_bytes()


def options_of(
    request: Request,
    filter_: Annotated[str | None, Query(alias="$filter", examples=["startswith(Name,'S2B')"])] = None,
    orderby: Annotated[str | None, Query(alias="$orderby", examples=["PublicationDate desc"])] = None,
    top: Annotated[str | None, Query(alias="$top", examples=["10"])] = None,
    skip: Annotated[str | None, Query(alias="$skip")] = None,
    skiptoken: Annotated[str | None, Query(alias="$skiptoken", description="of @odata.nextLink")] = None,
    count: Annotated[str | None, Query(alias="$count", examples=["true"])] = None,
    select: Annotated[str | None, Query(alias="$select", examples=["Id,Name"])] = None,
    expand: Annotated[str | None, Query(alias="$expand", examples=["Attributes"])] = None,
    format_: Annotated[str | None, Query(alias="$format", examples=["json"])] = None,
) -> Asked:
    """Return the query options; FastAPI describes the parameters, the options are read from the address itself."""
    items = request.query_params.multi_items()
    return parse_options(items, service_of(request).catalogue.dialect, _preferred(request))


Options = Annotated[Asked, Depends(options_of)]


async def product_id_of(
    key: Annotated[str, Path(alias="product_id", examples=["00000000-0000-0000-0000-000000000000"])],
) -> UUID:
    """Return the id in an address, with or without quotes."""
    try:
        return UUID(key.removeprefix("Id=").strip("'"))
    except ValueError as error:
        raise ODataError(400, f"{key[:80]!r} is no id of a product", "Products") from error


ProductId = Annotated[UUID, Depends(product_id_of)]


class FilterProduct(BaseModel):
    """One product of a list, by name or id."""

    model_config = ConfigDict(extra="forbid")

    Name: str | None = Field(default=None, max_length=1000)
    Id: UUID | None = None


class FilterList(BaseModel):
    """The body of the action FilterList."""

    model_config = ConfigDict(extra="forbid")

    FilterProducts: list[FilterProduct] = Field(min_length=1, max_length=LARGEST_PAGE)


@router.get("", include_in_schema=False)
@router.get("/")
async def service_document(request: Request) -> Response:
    """Return what there is."""
    sets = [{"name": "Products", "kind": "EntitySet", "url": "Products"}]
    return answer({"@odata.context": f"{root_of(request)}/$metadata", "value": sets})


@router.get("/$metadata")
async def metadata() -> Response:
    """Return the model of the service (CSDL XML)."""
    return Response(_CSDL, media_type="application/xml", headers=VERSION)


@router.get("/Products")
def products(request: Request, service: TheService, query: Options) -> Response:
    """Return products."""
    return answer(products_document(root_of(request), query, service.catalogue.page(query)))


@router.get("/Products/$count")
def count(service: TheService, query: Options) -> PlainTextResponse:
    """Return how many products fulfil $filter."""
    return PlainTextResponse(str(service.catalogue.count(query.condition)), headers=VERSION)


@router.post("/Products/OData.CSC.FilterList")
def filter_list(request: Request, service: TheService, query: Options, body: FilterList) -> Response:
    """Return those products of a list that are published, at most 1000, in one answer."""
    names = [each.Name for each in body.FilterProducts if each.Name is not None]
    ids = [each.Id for each in body.FilterProducts if each.Id is not None]
    if not all(is_text(name) for name in names):
        raise bad("a name has a character that is no text", "FilterProducts")
    page = service.catalogue.page(replace(query, page=LARGEST_PAGE), names, ids)
    return answer(products_document(root_of(request), query, page, follow=False))


@router.get("/Products({product_id})")
def product(request: Request, service: TheService, key: ProductId, query: Options) -> Response:
    """Return one product."""
    row, attributes = service.catalogue.described(key)
    (document,) = product_documents([row], query.select, query.expand, {row.key: attributes})
    return answer({"@odata.context": context(root_of(request), "Products", query) + "/$entity", **document})


@router.get("/Products({product_id})/Attributes")
def attributes(request: Request, service: TheService, key: ProductId) -> Response:
    """Return the attributes of a product."""
    return _attributes(request, service, key, None)


@router.get("/Products({product_id})/Attributes/OData.CSC.{cast}")
def attributes_of_type(request: Request, service: TheService, key: ProductId, cast: str) -> Response:
    """Return the attributes of one type of a product."""
    if cast not in BY_NAME:
        raise ODataError(404, f"there is no type OData.CSC.{cast[:80]}; there are {', '.join(BY_NAME)}", "Attributes")
    return _attributes(request, service, key, f"#OData.CSC.{cast}")


@router.get("/Products({product_id})/Quicklooks")
def quicklooks(request: Request, service: TheService, key: ProductId) -> Response:
    """Return the quick-looks of a product."""
    found = quicklook_documents(service.catalogue.product(key).quicklook)
    return answer({"@odata.context": context(root_of(request), f"Products({key})/Quicklooks"), "value": found})


def _attributes(request: Request, service: TheService, key: UUID, of: str | None) -> Response:
    found: list[dict[str, Any]] = [attribute_document(*each) for each in service.catalogue.described(key)[1]]
    chosen = [each for each in found if of is None or each["@odata.type"] == of]
    return answer({"@odata.context": context(root_of(request), f"Products({key})/Attributes"), "value": chosen})


def _preferred(request: Request) -> int | None:
    """Return the page size of `Prefer: odata.maxpagesize=N`; a preference that cannot be read is none."""
    for part in request.headers.get("prefer", "").split(","):
        name, _, value = part.strip().partition("=")
        number = value.strip().strip('"')
        if name.strip().lower() in ("odata.maxpagesize", "maxpagesize") and number.isascii() and number.isdigit():
            return min(int(number[:9]), LARGEST_PAGE) or None
    return None
