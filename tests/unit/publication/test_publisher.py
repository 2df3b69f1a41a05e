"""Publication and removal as a whole: package, record, catalogue; once each, whatever is killed, by many at once."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pystac
import pytest
from typer.testing import CliRunner
from unit.publication.small_products import DATATAKE, ORIGIN, T0, TL, USER, level_0, tile_items, user_product

from s2ps.cli.main import app
from s2ps.inventory.publications import Publication, identify
from s2ps.inventory.records import ProductRecord
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, InputError, PublicationError
from s2ps.publication.publisher import Publisher
from s2ps.publication.retention import Retention
from s2ps.settings import Settings

pytestmark = pytest.mark.unit

KILLED = """
import os, signal, sys
from pathlib import Path
from unit.publication.test_publisher import publisher, publish
from s2ps.inventory.publications import PublicationStore
from s2ps.publication import publisher as module, withdrawal
from s2ps.publication.publisher import Batch
from s2ps.publication.stac_catalogue import StaticCatalogue
from s2ps.publication.withdrawal import Withdrawals
home, owner, name, action = Path(sys.argv[1]), eval(sys.argv[2]), sys.argv[3], sys.argv[4]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, name, die)
found = publisher(home)
if action == "publish":
    publish(found, home)
else:
    found.withdrawals.withdraw(action)
"""


def publisher(home: Path) -> Publisher:
    """Return the publisher of a home."""
    settings = Settings.load(home)
    return Publisher.of(settings, Inventory(settings.inventory_location))


def publish(found: Publisher, home: Path) -> list[Publication]:
    """Publish everything below the products of a home, user products first, as production does."""
    products = home / "products"
    paths = [*sorted(products.glob("L*/S2*.SAFE")), *sorted(products.glob("PDI/*/S2*"))]
    published = []
    with found.batch(ORIGIN) as batch:
        for path in paths:
            published.append(batch.publish(path))
    return published


def items(home: Path) -> dict[str, pystac.Item]:
    """Return the items of the catalogue, read as users do."""
    root = pystac.Catalog.from_file(str(home / "packages" / "stac" / "catalog.json"))
    return {item.id: item for item in root.get_items(recursive=True)}


def killed(home: Path, owner: str, name: str, action: str) -> None:
    """Publish or withdraw in a process that is killed when it comes to a step."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", KILLED, home, owner, name, action],
        env={"PYTHONPATH": f"{Path.cwd() / 'tests'}:{Path.cwd() / 'src'}", "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == -signal.SIGKILL, process.stderr


def content(home: Path) -> dict[str, bytes]:
    """Return all files of the package store, without moments of publication."""
    root = home / "packages"
    files = {p.relative_to(root).as_posix(): p for p in root.rglob("*") if p.is_file() and ".locks" not in p.parts}
    return {name: b"" if name.endswith(".json") else path.read_bytes() for name, path in files.items()}


def test_records_tell_what_is_there(tmp_path: Path) -> None:
    user_product(tmp_path / "products")
    tile_items(tmp_path / "products")
    level_0(tmp_path / "products")
    found = publisher(tmp_path)
    published = publish(found, tmp_path)
    assert published[0].name == f"{USER}.zip"
    assert len(published) == 5
    for each in published:
        package = found.store.root / found.store.key(each.location)
        data = package.read_bytes()
        assert each == found.publications.get(identify(each.name))
        assert each.content_length == len(data)
        assert {c.algorithm: c.value for c in each.checksums} == {
            "MD5": hashlib.md5(data, usedforsecurity=False).hexdigest(), "SHA256": hashlib.sha256(data).hexdigest(),
        }  # fmt: skip
        assert each.origin_date == T0
        assert each.datatake == DATATAKE
        days = 30 if each.level == "L0" else 7
        assert each.eviction_date is not None
        assert timedelta(0) <= each.published_at - (each.eviction_date - timedelta(days=days)) < timedelta(seconds=1)
        assert each.quicklook is not None
        assert (found.store.root / found.store.key(each.quicklook)).read_bytes()[:2] == b"\xff\xd8"
        item = items(tmp_path)[each.name.removesuffix(".zip").removesuffix(".tar").removesuffix(".SAFE")]
        assert item.assets["product"].href == each.location
        assert item.assets["product"].extra_fields["file:checksum"].endswith(hashlib.sha256(data).hexdigest())
        assert item.properties["published"] == each.published_at.isoformat().replace("+00:00", "Z")


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    user_product(tmp_path / "products")
    found = publisher(tmp_path)
    first = publish(found, tmp_path)
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / "packages").rglob("*") if p.is_file()}
    assert publish(found, tmp_path) == first
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "packages").rglob("*") if p.is_file()} == stamps


def test_lost_package_is_made_again_and_another_content_refused(tmp_path: Path) -> None:
    product = user_product(tmp_path / "products")
    found = publisher(tmp_path)
    first = publish(found, tmp_path)
    found.store.delete(found.store.key(first[0].location))
    assert publish(found, tmp_path) == first
    found.store.delete(found.store.key(first[0].location))
    (product / "manifest.safe").write_text("<another/>")
    with pytest.raises(PublicationError, match="with other checksums"):
        publish(found, tmp_path)


PUBLISHING = [
    ("Batch", "_looks"), ("PublicationStore", "publish"), ("Batch", "_catalogue"), ("StaticCatalogue", "refresh"),
    ("StaticCatalogue", "_whole"),
]  # fmt: skip


@pytest.mark.parametrize(("owner", "name"), PUBLISHING)
def test_killed_publication_is_finished_by_the_next(tmp_path: Path, owner: str, name: str) -> None:
    home, clean = tmp_path / "home", tmp_path / "clean"
    for folder in (home, clean):
        user_product(folder / "products")
        tile_items(folder / "products")
    publish(publisher(clean), clean)
    killed(home, owner, name, "publish")
    found = publisher(home)
    known = found.publications.get(identify(f"{USER}.zip"))
    assert (known is None) == (name in ("_looks", "publish"))
    if known is not None:
        assert found.store.size(found.store.key(known.location)) == known.content_length
    publish(found, home)
    assert content(home) == content(clean)
    assert set(items(home)) == {USER.removesuffix(".SAFE"), TL, TL.replace("_TL_", "_TC_")}


WITHDRAWING = [
    ("PublicationStore", "withdraw"), ("StaticCatalogue", "remove"), ("StaticCatalogue", "_settle"),
    ("Withdrawals", "_remove_folder"), ("withdrawal.shutil", "rmtree"),
]  # fmt: skip


@pytest.mark.parametrize("then", ["expire", "publish"])
@pytest.mark.parametrize(("owner", "name"), WITHDRAWING)
def test_killed_removal_shows_nothing_and_is_finished_by_the_next(
    tmp_path: Path, owner: str, name: str, then: str
) -> None:
    product = user_product(tmp_path / "products")
    found = publisher(tmp_path)
    before = publish(found, tmp_path)
    killed(tmp_path, owner, name, USER)
    assert found.withdrawals.pending() == (f"{USER}.zip",)
    assert (found.publications.get(identify(f"{USER}.zip")) is None) == (name != "withdraw")
    if then == "publish":
        if not product.exists():
            user_product(tmp_path / "products")
        again = publish(found, tmp_path)
        assert [each.checksums[1].value for each in again] == [each.checksums[1].value for each in before]
        assert again[0].published_at > before[0].published_at
        assert set(items(tmp_path)) == {USER.removesuffix(".SAFE")}
    else:
        assert list(found.withdrawals.expire(datetime.now(UTC))) == []
        assert set(content(tmp_path)) == {"stac/catalog.json"}
        assert not product.exists()
        assert [path.name for path in product.parent.iterdir()] == []
    assert found.withdrawals.pending() == ()


def test_expired_products_go_and_others_stay(tmp_path: Path) -> None:
    product = user_product(tmp_path / "products")
    datastrip, _ = level_0(tmp_path / "products")
    found = publisher(tmp_path)
    publish(found, tmp_path)
    inventory = Inventory(tmp_path / "inventory.sqlite")
    inventory.register_product(ProductRecord(USER, "L1C", "x", product, DATATAKE, "", T0, 1))
    now = datetime.now(UTC) + timedelta(days=8)
    assert [each.name for each in found.withdrawals.expired(now)] == [f"{USER}.zip"]
    assert product.exists()
    assert [each.name for each in found.withdrawals.expire(now)] == [f"{USER}.zip"]
    assert not product.exists()
    assert datastrip.exists()
    assert len(items(tmp_path)) == 2
    with pytest.raises(InputError):
        inventory.product(USER)
    assert [name for name in content(tmp_path) if "L1C" in name or "l1c" in name] == []
    with pytest.raises(PublicationError, match="is not published"):
        found.withdrawals.withdraw(USER)


@pytest.mark.parametrize("files", [True, False])
def test_removal_from_the_inventory_takes_packages_and_items_along(tmp_path: Path, files: bool) -> None:
    product = user_product(tmp_path / "products")
    datastrip, _ = level_0(tmp_path / "products")
    found = publisher(tmp_path)
    publish(found, tmp_path)
    Inventory(tmp_path / "inventory.sqlite").register_product(
        ProductRecord(USER, "L1C", "x", product, DATATAKE, "", T0, 1)
    )
    words = ["inventory", "remove", USER, "--home", str(tmp_path), *([] if files else ["--no-files"])]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert found.publications.get(identify(f"{USER}.zip")) is None
    left = [name for name in content(tmp_path) if "L1C" in name or "l1c" in name]
    assert (left == []) is files
    assert product.exists() is not files
    assert ("package left" in done.output) is not files
    assert datastrip.exists()
    assert found.withdrawals.pending() == ()
    assert len(items(tmp_path)) == (2 if files else 3)


def test_folder_outside_of_the_products_is_never_removed(tmp_path: Path) -> None:
    user_product(tmp_path / "products")
    found = publisher(tmp_path)
    publish(found, tmp_path)
    stray = tmp_path / "precious" / USER
    stray.mkdir(parents=True)
    record = ProductRecord(USER, "L1C", "x", stray, DATATAKE, "", T0, 1)
    Inventory(tmp_path / "inventory.sqlite").register_product(record)
    with pytest.raises(PublicationError, match="is not below"):
        found.withdrawals.withdraw(USER)
    assert stray.exists()


def test_one_that_cannot_be_removed_does_not_keep_the_others(tmp_path: Path) -> None:
    user_product(tmp_path / "products")
    other = USER.replace("32TPQ", "32TPR")
    product = user_product(tmp_path / "products", other)
    found = publisher(tmp_path)
    publish(found, tmp_path)
    stray = tmp_path / "precious" / USER
    stray.mkdir(parents=True)
    record = ProductRecord(USER, "L1C", "x", stray, DATATAKE, "", T0, 1)
    Inventory(tmp_path / "inventory.sqlite").register_product(record)
    removed: list[str] = []
    for _ in range(2):
        with pytest.raises(PublicationError, match=rf"1 products could not be removed; {USER}.zip: .*is not below"):
            removed += [each.name for each in found.withdrawals.expire(datetime.now(UTC) + timedelta(days=8))]
    assert not product.exists()
    assert stray.exists()
    assert found.publications.get(identify(f"{other}.zip")) is None
    assert found.withdrawals.pending() == (f"{USER}.zip",)


def test_many_processes_publish_into_one_catalogue(tmp_path: Path) -> None:
    names = [USER.replace("32TPQ", f"32T{a}{b}") for a in "MNPQ" for b in "QRST"]
    for name in names:
        user_product(tmp_path / "products", name)
    Inventory(tmp_path / "inventory.sqlite")
    script = (
        "import sys; from pathlib import Path; from unit.publication.test_publisher import publisher\n"
        "from unit.publication.small_products import ORIGIN\n"
        "found = publisher(Path(sys.argv[1]))\n"
        "for path in sys.argv[2:]:\n"
        "    with found.batch(ORIGIN) as batch: batch.publish(Path(path))\n"
    )
    folder = tmp_path / "products" / "L1C"
    environment = {"PYTHONPATH": f"{Path.cwd() / 'tests'}:{Path.cwd() / 'src'}", "PATH": "/usr/bin:/bin"}
    running = [
        subprocess.Popen(
            [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                script,
                tmp_path,
                *(folder / name for name in [*names[k::4], names[0]]),
            ],
            env=environment,
        )
        for k in range(4)
    ]
    assert [process.wait(120) for process in running] == [0] * 4
    assert set(items(tmp_path)) == {name.removesuffix(".SAFE") for name in names}
    assert len(publisher(tmp_path).publications.expired(datetime.now(UTC) + timedelta(days=8))) == len(names)


def test_rules_of_retention(tmp_path: Path) -> None:
    now = datetime(2026, 7, 1, tzinfo=UTC)
    packaged = Retention.load()
    assert packaged.eviction("L0", "x", now) == now + timedelta(days=30)
    assert packaged.eviction("L2A", "x", now) == now + timedelta(days=7)
    assert packaged.eviction("PRD_HKTM", "x", now) is None
    own = tmp_path / "rules.yaml"
    own.write_text("rules: [{kind: L1C, name: '.*_T32TPQ_.*', days: 0.5}, {kind: L1C, days: null}]")
    rules = Retention.load(own)
    assert rules.eviction("L1C", USER, now) == now + timedelta(hours=12)
    assert rules.eviction("L1C", USER.replace("PQ", "QQ"), now) is None
    assert rules.eviction("L2A", USER, now) is None
    for text in ("rules: [{kind: L1C, days: -1}]", "rules: [{kind: L1C, days: 1, name: '('}]", "rule: []", "[", ""):
        own.write_text(text)
        with pytest.raises(ConfigurationError, match="retention rules"):
            Retention.load(own)
