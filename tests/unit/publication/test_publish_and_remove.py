"""One product is published and removed at the same moment: whatever comes first, what users find is whole."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from postgres import postgresql  # noqa: F401
from unit.inventory.conftest import location  # noqa: F401
from unit.publication.small_products import ORIGIN, USER, user_product
from unit.publication.test_publisher import items, publish, publisher

from s2ps.inventory.care import upgrade_database
from s2ps.inventory.publications import identify
from s2ps.publication.publisher import Batch, Publisher

pytestmark = pytest.mark.unit
PACKAGE = f"{USER}.zip"
PUBLISHING = """
import sys
from pathlib import Path
from unit.publication.small_products import ORIGIN, USER, user_product
from unit.publication.test_publisher import publisher
from s2ps.publication.publisher import Batch
Batch._looks = lambda *_: None
home, found = Path(sys.argv[1]), publisher(Path(sys.argv[1]))
for _ in range(15):
    folder = home / "products" / "L1C" / USER
    try:
        if not (folder / "MTD_MSIL1C.xml").exists():
            user_product(home / "products")
        with found.batch(ORIGIN) as batch:
            batch.publish(folder)
    except OSError as error:
        print("removed while it was read:", error)
    except Exception as error:
        if folder.exists() and "removed" not in str(error) and "no such" not in str(error).lower():
            print("other:", type(error), error)
"""
REMOVING = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unit.publication.test_publisher import publisher
from s2ps.inventory.exclusion import exclusive
from s2ps.inventory.publications import identify
found, name, removed = publisher(Path(sys.argv[1])), sys.argv[2], 0
for _ in range(60):
    removed += len(list(found.withdrawals.expire(datetime.now(UTC) + timedelta(days=8))))
    with exclusive(found.inventory, name):
        known = found.publications.get(identify(name))
        if known is not None and found.store.size(found.store.key(known.location)) != known.content_length:
            raise SystemExit("a record without its package")
print(removed)
"""


@pytest.fixture
def home(location: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    monkeypatch.setenv("S2PS_INVENTORY", str(location))
    if isinstance(location, str):
        upgrade_database(location)
    user_product(tmp_path / "products")
    return tmp_path


def _start(script: str, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{Path.cwd() / 'tests'}:{Path.cwd() / 'src'}"}
    command = [sys.executable, "-W", "ignore", "-c", script, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _agrees(found: Publisher, home: Path) -> bool:
    """Return whether the product is published, after checking that record, package and item agree about it."""
    known = found.publications.get(identify(PACKAGE))
    packages = [path.name for path in (home / "packages").rglob("*.zip")]
    assert packages == ([PACKAGE] if known is not None else [])
    assert set(items(home)) == ({USER.removesuffix(".SAFE")} if known is not None else set())
    assert found.withdrawals.pending() == ()
    return known is not None


def test_two_processes_publish_and_remove_one_product(home: Path) -> None:
    publish(publisher(home), home)
    processes = [_start(PUBLISHING, home), _start(REMOVING, home, PACKAGE)]
    said = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert "other:" not in said[0]
    assert int(said[1]) > 0
    found = publisher(home)
    if _agrees(found, home):
        found.withdrawals.withdraw(USER)
    assert not _agrees(found, home)


def test_a_product_removed_while_its_package_is_written_is_published_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = publisher(home)
    (first,) = publish(found, home)
    found.store.delete(found.store.key(first.location))
    made, removed = Batch._made, []

    def removed_meanwhile(batch: Batch, product: Path) -> object:
        record = made(batch, product)
        if not removed:
            removed.append(publisher(home).withdrawals.withdraw(USER))
            user_product(home / "products")
        return record

    monkeypatch.setattr(Batch, "_made", removed_meanwhile)
    with found.batch(ORIGIN) as batch:
        again = batch.publish(home / "products" / "L1C" / USER)
    assert removed
    assert again.published_at > first.published_at
    assert _agrees(found, home)


def test_what_was_published_anew_does_not_expire_with_what_was_before(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = publisher(home)
    (first,) = publish(found, home)
    found.withdrawals.withdraw(USER)
    user_product(home / "products")
    (second,) = publish(found, home)
    answers = iter([(first,), ()])
    monkeypatch.setattr(found.publications, "expired", lambda _now: next(answers))
    assert list(found.withdrawals.expire(datetime.now(UTC) + timedelta(days=8))) == []
    assert found.publications.get(second.id) == second
    assert _agrees(found, home)


def test_a_lost_quick_look_is_made_again(home: Path) -> None:
    found = publisher(home)
    (first,) = publish(found, home)
    assert first.quicklook is not None
    found.store.delete(found.store.key(first.quicklook))
    assert publish(found, home) == [first]
    assert found.store.size(found.store.key(first.quicklook))
