"""Answers of the OData service, and the addresses in them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import orjson
from starlette.responses import Response

from s2ps.prip.catalogue import Page
from s2ps.prip.odata.documents import product_documents
from s2ps.prip.odata.options import Query
from s2ps.prip.odata.properties import SHOWN

_TYPE = "application/json;odata.metadata=minimal"
VERSION = {"OData-Version": "4.0"}


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """Return a document as OData answer."""
    return Response(orjson.dumps(document), status, headers=VERSION, media_type=_TYPE)


def products_document(root: str, query: Query, page: Page, follow: bool = True) -> dict[str, Any]:
    """Return a page of products; `follow` adds the address of the next one."""
    document: dict[str, Any] = {"@odata.context": context(root, "Products", query)}
    if page.total is not None:
        document["@odata.count"] = page.total
    document["value"] = product_documents(page.rows, query.select, query.expand, page.attributes)
    if follow and page.token is not None:
        document["@odata.nextLink"] = next_link(f"{root}/Products", query, page.token)
    return document


def context(root: str, what: str, query: Query | None = None) -> str:
    """Return the context address of an answer (OData JSON Format, section 10)."""
    chosen = () if query is None or query.select == SHOWN else query.select
    return f"{root}/$metadata#{what}{'(' + ','.join(chosen) + ')' if chosen else ''}"


def next_link(address: str, query: Query, token: str) -> str:
    """Return the address of the page after this one: the same options, and what is left of $top."""
    options = [(name, value) for name, value in query.given if name not in ("$skip", "$skiptoken", "$top")]
    if query.top is not None:
        options.append(("$top", str(query.top - query.rows)))
    return f"{address}?{urlencode([*options, ('$skiptoken', token)], safe='$', quote_via=quote)}"
