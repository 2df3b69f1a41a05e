"""Answers of the OData service, good and bad ones."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from lxml import etree
from sqlalchemy import QueuePool, create_engine

from s2ps.inventory.publications import Publication, PublicationStore
from s2ps.inventory.store import Inventory
from s2ps.prip.catalogue import Catalogue
from s2ps.prip.odata.errors import ODataError
from s2ps.prip.odata.properties import BY_NAME, SHOWN

pytestmark = pytest.mark.unit
PRODUCTS = "/odata/v1/Products"
EDM = {"edm": "http://docs.oasis-open.org/odata/ns/edm", "edmx": "http://docs.oasis-open.org/odata/ns/edmx"}
BAD = [
    ("$filter", "", 400), ("$filter", "Name", 400), ("$filter", "Name eq", 400), ("$filter", "Nam eq 'a'", 400),
    ("$filter", "Name eq 1", 400), ("$filter", "Name eq 'a' and", 400), ("$filter", "(Name eq 'a'", 400),
    ("$filter", "Name in ()", 400), ("$filter", "Name in 'a'", 400), ("$filter", "contains(Name)", 400),
    ("$filter", "contains(ContentLength,'1')", 400), ("$filter", "frobnicate(Name)", 501),
    ("$filter", "year(Name) eq 2026", 400), ("$filter", "ContentLength div 2 gt 2", 501),
    ("$filter", "now(1) gt 2026-07-01", 400), ("$filter", "substring(Name,-1) eq 'x'", 400),
    ("$filter", "now() add duration'P99999999D' gt ContentDate/Start", 400),
    ("$filter", "ContentDate/End sub ContentDate/Start gt 5", 501), ("$filter", "round(1.5) eq 2", 501),
    ("$filter", "PublicationDate add duration'P1D' gt now()", 501), ("$filter", "Name add 1 eq 2", 501),

    ("$filter", "ContentDate/Start gt '2026-07-01T00:00:00Z'", 400),
    ("$filter", "ContentDate/Start gt 2026-02-31", 400),
    ("$filter", "ContentDate/Start gt 2026-02-31T00:00:00Z", 400), ("$filter", "Id eq 'x'", 400),
    ("$filter", "Online gt true", 400), ("$filter", "Footprint eq null", 400), ("$filter", "not Name", 400),
    ("$filter", "Name eq 'a\0b'", 400), ("$filter", "ContentLength eq 1e999", 400), ("$filter", "-Name eq 1", 400),
    ("$filter", "(" * 200 + "Online" + ")" * 200 + " and x", 400), ("$filter", "not " * 100 + "Online", 400),
    ("$filter", "Attributes/any(a:a/Name)", 400),
    ("$filter", "Attributes/OData.CSC.OddAttribute/any(a:a/Name eq 'x')", 400),
    ("$filter", "Quicklooks/any(a:a/Name eq 'x')", 400), ("$filter", "Attributes/x/y/any(a:a/Name eq 'x')", 400),
    ("$filter", "Attributes/OData.CSC.StringAttribute/any(a:a/OData.CSC.DoubleAttribute/Value eq 1)", 400),
    ("$filter", "Attributes/OData.CSC.DoubleAttribute/any(a:a/OData.CSC.DoubleAttribute/Value eq 'x')", 400),
    ("$filter", "Attributes/any(a:Attributes/any(b:b/Name eq 'x'))", 400), ("$filter", "Attributes eq 1", 400),
    ("$filter", "OData.CSC.Touches(area=geography'SRID=4326;POINT(1 2)')", 400), ("$filter", "OData.CSC.Within()", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=3857;POINT(1 2)')", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=4326;POINT(1 200)')", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=4326;POINT EMPTY')", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=4326;POINT(nan 1)')", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((1 2,3 4))')", 400),
    ("$filter", "OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((1 1,2 2,1 1,1 1))')", 400),
    ("$filter", "OData.CSC.Intersects(area='POINT(1 2)')", 400),
    ("$filter", "OData.CSC.Intersects(area=1,b=2,c=3)", 400),
    ("$filter", "OData.CSC.Intersects(location=Name,area=geography'SRID=4326;POINT(1 2)')", 400),
    ("$orderby", "Size", 400), ("$orderby", "Name up", 400), ("$orderby", ",", 400), ("$orderby", "Online", 400),
    ("$top", "-1", 400), ("$top", "ten", 400), ("$top", "1" * 30, 400), ("$skip", "1.5", 400), ("$skip", "²", 400),
    ("$count", "yes", 400), ("$select", "Nam", 400), ("$expand", "Checksum", 400), ("$format", "xml", 406),
    ("$expand", "Attributes($filter=Name eq 'x')", 501), ("$search", "x", 501), ("$frob", "x", 400),
    ("$skiptoken", "x", 400), ("$skiptoken", "é", 400), ("$skiptoken", "W10", 400),
]  # fmt: skip


@pytest.mark.parametrize(("option", "value", "status"), BAD)
def test_a_query_that_makes_no_sense_is_refused_in_the_form_of_odata(
    open_client: httpx.Client, option: str, value: str, status: int
) -> None:
    answer = open_client.get(PRODUCTS, params={option: value})
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["target"] == option
    assert error["message"]
    assert answer.headers["odata-version"] == "4.0"


def test_an_option_given_twice_is_refused(open_client: httpx.Client) -> None:
    assert open_client.get(f"{PRODUCTS}?$top=1&$top=2").status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/odata/v1/Nothing", 404),
        ("GET", f"{PRODUCTS}({uuid4()})", 404),
        ("GET", f"{PRODUCTS}({uuid4()})/$value", 404),
        ("GET", f"{PRODUCTS}(7)", 400),
        ("GET", f"{PRODUCTS}({uuid4()})/Attributes/OData.CSC.OddAttribute", 404),
        ("DELETE", PRODUCTS, 405),
        ("POST", f"{PRODUCTS}/OData.CSC.FilterList", 400),
    ],
)
def test_what_is_not_there_is_told_in_the_same_form(
    open_client: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = open_client.request(method, path)
    assert (answer.status_code, "message" in answer.json()["error"]) == (status, True)


def test_the_model_names_what_answers_have(open_client: httpx.Client) -> None:
    answer = open_client.get("/odata/v1/$metadata")
    model = etree.fromstring(answer.content)
    assert model.get("Version") == "4.0"
    schema = model.find("edmx:DataServices/edm:Schema", EDM)
    assert schema is not None
    assert schema.get("Namespace") == "OData.CSC"
    product = schema.find("edm:EntityType[@Name='Product']", EDM)
    assert product is not None
    assert [each.get("Name") for each in product.findall("edm:Property", EDM)] == list(SHOWN)
    assert [each.get("Name") for each in product.findall("edm:NavigationProperty", EDM)] == ["Attributes", "Quicklooks"]
    derived = schema.findall("edm:EntityType[@BaseType='OData.CSC.Attribute']", EDM)
    assert {each.get("Name") for each in derived} == set(BY_NAME)
    container = schema.find("edm:EntityContainer", EDM)
    assert container is not None
    assert (container.get("Name"), container[0].get("Name")) == ("PRIPData", "Products")
    types = {f"OData.CSC.{each.get('Name')}" for each in schema if each.get("Name")}
    used = {
        name.get("Type", "").removeprefix("Collection(").removesuffix(")") for name in schema.iter() if name.get("Type")
    }
    assert {name for name in used if name.startswith("OData.CSC.")} <= types


def test_a_product_has_the_properties_of_its_publication(
    client: httpx.Client, products: tuple[Publication, ...]
) -> None:
    given = products[2]
    document = client.get(f"{PRODUCTS}({given.id})", params={"$expand": "Attributes,Quicklooks"}).json()
    assert list(document)[2:] == [*SHOWN, "Attributes", "Quicklooks"]
    assert (document["Id"], document["Name"], document["ContentLength"]) == (str(given.id), given.name, 4096)
    assert document["Checksum"][0]["Value"] == given.checksums[0].value
    assert document["ContentDate"] == {"Start": "2026-07-01T10:17:59.000000Z", "End": "2026-07-01T10:18:14.000000Z"}
    assert document["GeoFootprint"]["type"] == "Polygon"
    found = {each["Name"]: (each["@odata.type"], each["Value"]) for each in document["Attributes"]}
    assert found["cloudCover"] == ("#OData.CSC.DoubleAttribute", 12.5)
    assert found["orbitNumber"] == ("#OData.CSC.IntegerAttribute", 43890)
    assert found["beginningDateTime"] == ("#OData.CSC.DateTimeOffsetAttribute", "2026-07-01T10:15:59.000000Z")
    assert len(found) == len(given.attributes)
    only = client.get(f"{PRODUCTS}({given.id})/Attributes/OData.CSC.DoubleAttribute").json()["value"]
    assert [each["Name"] for each in only] == ["cloudCover"]
    assert client.get(f"{PRODUCTS}('{given.id}')/Attributes").json()["value"] == document["Attributes"]


def test_select_leaves_the_rest_out(client: httpx.Client) -> None:
    document = client.get(PRODUCTS, params={"$select": "Name,Id", "$top": "1"}).json()
    assert list(document["value"][0]) == ["@odata.mediaContentType", "Id", "Name"]
    assert document["@odata.context"].endswith("#Products(Id,Name)")


def test_a_list_of_names_finds_those_that_are_published(
    client: httpx.Client, products: tuple[Publication, ...]
) -> None:
    wanted = [{"Name": products[3].name}, {"Name": "unknown"}, {"Id": str(products[0].id)}]
    address = f"{PRODUCTS}/OData.CSC.FilterList"
    answer = client.post(address, json={"FilterProducts": wanted}, params={"$count": "true", "$orderby": "Name"})
    document = answer.json()
    assert {each["Name"] for each in document["value"]} == {products[0].name, products[3].name}
    assert document["@odata.count"] == 2
    many = [{"Name": f"no {number}"} for number in range(1001)]
    assert client.post(address, json={"FilterProducts": many}).status_code == 400


def test_a_withdrawn_product_is_gone_at_once(
    client: httpx.Client, products: tuple[Publication, ...], inventory: Inventory
) -> None:
    PublicationStore(inventory).withdraw(products[2].name)
    for suffix in ("", "/$value", "/Attributes", "/Quicklooks"):
        assert client.get(f"{PRODUCTS}({products[2].id}){suffix}").status_code == 404
    assert client.get(f"{PRODUCTS}/$count").text == "9"


def test_a_service_whose_connections_are_all_in_use_says_so() -> None:
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect(), pytest.raises(ODataError, match="as many queries as it can") as caught:
        Catalogue(engine).answers()
    assert caught.value.status == 503
    engine.dispose()


def test_a_product_of_numbers_that_is_too_large_is_refused_or_infinite(client: httpx.Client) -> None:
    large = f"ContentLength mul 1.5{' mul 9223372036854775807.5' * 30} gt 1"
    answer = client.get("/odata/v1/Products", params={"$filter": large})
    assert (answer.status_code, len(answer.json().get("value", ()))) in ((400, 0), (200, 10))
