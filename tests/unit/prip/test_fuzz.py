"""No request makes the service fail: requests made from its own description, and filters that are nearly right."""

from __future__ import annotations

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.unit
PIECES = st.sampled_from(
    """Name|Id|ContentLength|Online|ContentDate/Start|EvictionDate|Attributes|att|att/Name|/|:|,|(|)|'|'x'|1|-1|1.5e3|null|true|
    2026-07-01T00:00:00Z|2026-07-01|duration'P1D'|12:00:00|
    00000000-0000-0000-0000-000000000000| eq | ne | gt | and | or |not |
     in | add | mod |any(|all(|
    contains(|startswith(|tolower(|OData.CSC.Intersects(|area=|geo_shape=|geo_property=|Footprint|
    geography'SRID=4326;POINT(1 2)'|geography'POLYGON((0 0,1 0,1 1,0 0))'|OData.CSC.StringAttribute|any(att:|
    OData.CSC.ProductionType'|concat(|-|=|geo.distance(|mindatetime()|now()|
    year(|date(|second(|substring(|indexof(|Name,0,3)| sub | mul |99999999999999999999""".replace("|\n    ", "|").split(
        "|"
    )
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(PIECES, max_size=14).map("".join))
def test_a_filter_of_odd_pieces_is_answered_or_refused(open_client: httpx.Client, text: str) -> None:
    assert open_client.get("/odata/v1/Products", params={"$filter": text}).status_code in (200, 400, 501)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    option=st.sampled_from(
        ["$filter", "$orderby", "$top", "$skip", "$skiptoken", "$select", "$expand", "$format", "$count"]
    ),
    text=st.text(max_size=40),
)
def test_any_text_is_answered_or_refused(open_client: httpx.Client, option: str, text: str) -> None:
    surrogates = any("\ud800" <= each <= "\udfff" for each in text)
    value = text.encode("utf-8", "replace").decode() if surrogates else text
    assert open_client.get("/odata/v1/Products", params={option: value}).status_code in (200, 400, 406, 501)


@pytest.mark.filterwarnings("ignore:BBOX crossing the Antimeridian")
@pytest.mark.parametrize("description", ["/openapi.json", "/stac/api"])
def test_no_request_of_the_own_description_fails(open_client: httpx.Client, description: str) -> None:
    base = str(open_client.base_url).rstrip("/") + ("/stac" if description.startswith("/stac") else "")
    schema = schemathesis.openapi.from_dict(open_client.get(description).json())
    failed: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def send(case: schemathesis.Case) -> None:
            answer = case.call(base_url=base)
            if answer.status_code >= 500 and answer.status_code != 501:
                failed.append(f"{case.method} {answer.request.url}: {answer.status_code}")

        send()
    assert not failed
