"""The web service over a million products in PostgreSQL: the ten most usual queries, over HTTP."""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from performance.prip_products import fill
from performance.report import Report
from postgres import server
from sqlalchemy import text

from s2ps.inventory.care import upgrade_database
from s2ps.inventory.store import Inventory

SETTINGS = (
    "shared_buffers=1GB effective_cache_size=6GB work_mem=32MB random_page_cost=1.1 "
    "max_wal_size=8GB fsync=off max_connections=60 wal_level=minimal max_wal_senders=0 autovacuum=off"
)
FIRST = datetime(2025, 11, 22, tzinfo=UTC)
ROUNDS = 60


def attribute(kind: str, name: str, comparison: str) -> str:
    """Return the condition on an attribute, as clients write it."""
    value = f"att/OData.CSC.{kind}Attribute/Value {comparison}"
    return f"Attributes/OData.CSC.{kind}Attribute/any(att:att/Name eq '{name}' and {value})"


_CLEAR = attribute("Double", "cloudCover", "le 20")


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Questions:
    """The ten queries, each time with other values; drawn with a seed."""

    def __init__(self, names: list[tuple[str, str]], products: int) -> None:
        self._names = names
        self._span = timedelta(seconds=31.5 * products)
        self._random = random.Random(1)

    def all(self) -> dict[str, Callable[[], tuple[str, dict[str, str]]]]:
        """Return the queries by what they ask."""
        return {
            "by name": lambda: self._products(f"Name eq '{self._any()[1]}'"),
            "by part of the name (a tile)": lambda: self._products(
                f"contains(Name,'_T{self._tile()}_')", "PublicationDate desc"
            ),
            "what is new, 100 per page": lambda: self._products(
                f"PublicationDate gt {_time(self._day())}", "PublicationDate asc", top=100
            ),
            "product type, one day": lambda: self._products(
                f"{self._type()} and {self._during(1)}", "ContentDate/Start asc"
            ),
            "type, clouds, area, ten days": lambda: self._products(
                f"{self._type()} and {_CLEAR} and {self._area()} and {self._during(10)}", "ContentDate/Start desc"
            ),
            "tile and type, latest first, counted": lambda: self._products(
                f"{self._of_tile()} and {self._type()}", "PublicationDate desc", count=True
            ),
            "area, latest first": lambda: self._products(self._area(), "PublicationDate desc"),
            "orbit and type": lambda: self._products(f"{self._orbit()} and {self._type()}", "ContentDate/Start asc"),
            "all of a datatake, with attributes": lambda: self._products(
                self._datatake(), "Name asc", top=100, expand="Attributes"
            ),
            "one product by id, with attributes": lambda: (
                f"/odata/v1/Products({self._any()[0]})",
                {"$expand": "Attributes"},
            ),
        }

    def _products(
        self, condition: str, order: str | None = None, top: int = 20, count: bool = False, expand: str = ""
    ) -> tuple[str, dict[str, str]]:
        options = {"$filter": condition, "$top": str(top)}
        options |= {"$orderby": order} if order else {}
        options |= {"$count": "true"} if count else {}
        options |= {"$expand": expand} if expand else {}
        return "/odata/v1/Products", options

    def _any(self) -> tuple[str, str]:
        return self._random.choice(self._names)

    def _tile(self) -> str:
        return self._random.choice([name[1].split("_T")[1][:5] for name in self._names if "_MSIL" in name[1]])

    def _of_tile(self) -> str:
        return attribute("String", "tileId", f"eq '{self._tile()}'")

    def _type(self) -> str:
        return attribute("String", "productType", f"eq '{self._random.choice(['S2MSI1C', 'S2MSI2A'])}'")

    def _day(self) -> datetime:
        return FIRST + self._random.random() * self._span

    def _during(self, days: int) -> str:
        start = self._day()
        return f"ContentDate/Start ge {_time(start)} and ContentDate/Start lt {_time(start + timedelta(days=days))}"

    def _area(self) -> str:
        west, south = self._random.uniform(-179, 176), self._random.uniform(-58, 68)
        corners = [(west, south), (west + 2, south), (west + 2, south + 2), (west, south + 2), (west, south)]
        ring = ",".join(f"{x:.3f} {y:.3f}" for x, y in corners)
        return f"OData.CSC.Intersects(area=geography'SRID=4326;POLYGON(({ring}))')"

    def _orbit(self) -> str:
        return attribute("Integer", "orbitNumber", f"eq {40000 + self._random.randrange(1, 4990)}")

    def _datatake(self) -> str:
        name = f"GS2{self._random.choice('ABC')}_{self._day().strftime('%Y%m%dT%H')}_N05.00"
        return attribute("String", "productGroupId", f"eq '{name}'")


def measure_prip(folder: Path, report: Report, products: int = 1_000_000) -> None:
    """Fill an inventory and ask the service; report median and p95 of every query, in milliseconds."""
    with server(SETTINGS) as database_server, database_server.database() as url:
        upgrade_database(url)
        inventory = Inventory(url)
        began = time.monotonic()
        rows = fill(inventory.engine, products)
        report.add("prip", f"{products} products, attributes", rows=rows, seconds=time.monotonic() - began)
        with inventory.engine.connect() as connection:
            sample = "SELECT id, name FROM publications WHERE key % (:some) = 7 ORDER BY key"
            found = connection.execute(text(sample), {"some": max(1, products // 2000)})
            names = [(str(row[0]), row[1]) for row in found]
        inventory.engine.dispose()
        with _service(folder, url) as address, httpx.Client(base_url=address, timeout=120) as client:
            for name, ask in Questions(names, products).all().items():
                _measure(client, name, ask, report)


def _measure(client: httpx.Client, name: str, ask: Callable[[], tuple[str, dict[str, str]]], report: Report) -> None:
    times, found = [], 0
    for _ in range(ROUNDS):
        path, options = ask()
        began = time.perf_counter()
        answer = client.get(path, params=options)
        times.append((time.perf_counter() - began) * 1000)
        answer.raise_for_status()
        found += len(answer.json().get("value", (1,)))
    p95 = statistics.quantiles(times, n=20)[-1]
    report.add("prip", name, median_ms=statistics.median(times), p95_ms=p95, max_ms=max(times), products=found / ROUNDS)


@contextmanager
def _service(folder: Path, url: str) -> Iterator[str]:
    """Run `s2ps prip serve` as users do, and yield its address."""
    folder.mkdir(parents=True, exist_ok=True)
    port = str(random.Random().randrange(20000, 40000))
    environment = {**os.environ, "S2PS_INVENTORY": url, "S2PS_HOME": str(folder)}
    command = [str(Path(sys.executable).with_name("s2ps")), "prip", "serve", "--port", port]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{address}/healthz").raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()
