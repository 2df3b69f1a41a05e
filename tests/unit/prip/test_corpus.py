"""Every query of docs/prip.md finds what the page says."""

from __future__ import annotations

import re
import string
from pathlib import Path

import httpx
import pytest

from s2ps.inventory.publications import Publication

pytestmark = pytest.mark.unit
PAGE = Path(__file__).parents[3] / "docs" / "prip.md"
BLOCKS = re.findall(r"^```odata\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
QUERIES = [line.rpartition("->")[::2] for block in BLOCKS for line in block.splitlines()]


def test_the_page_has_queries() -> None:
    assert len(QUERIES) > 50


def test_every_query_finds_what_the_page_says(client: httpx.Client, products: tuple[Publication, ...]) -> None:
    letters = dict(zip((each.name for each in products), string.ascii_uppercase, strict=False))
    wrong = []
    for query, expected in QUERIES:
        answer = client.get("/odata/v1/Products", params={"$filter": query.strip(), "$count": "true"})
        value = answer.json()["value"] if answer.is_success else ()
        found = sorted(letters[each["Name"]] for each in value) if answer.is_success else answer.text
        counted = client.get("/odata/v1/Products/$count", params={"$filter": query.strip()}).text
        if found != expected.split() or counted != str(len(expected.split())):
            wrong.append(f"{query}: {found} ({counted}) instead of {expected}")
    assert not wrong, "\n".join(wrong)
