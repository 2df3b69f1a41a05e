"""The chain on an object store: the same products, bit by bit, as on a folder."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from contract.object_store import environment, make_bucket, server
from integration.missions import Mission, Record, simulate

from s2ps.planning.strategy import load_strategy
from s2ps.production import Production, RunKey
from s2ps.production.local_run import LocalRun

pytestmark = pytest.mark.integration
CREATED = datetime(2026, 7, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with server(tmp_path_factory.mktemp("moto") / "server.log") as started:
        yield started


@pytest.fixture
def bucket(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URI of an empty staging in an S3 store."""
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    name = f"run-{uuid.uuid4().hex[:12]}"
    make_bucket(address, name).close()
    return f"s3://{name}/demo?endpoint={address}&region=us-east-1"


def ran(mission: Mission, place: Path, **more: object) -> dict[str, str]:
    """Run a mission with another staging into a products folder of its own; return the checksum of every file."""
    place.mkdir()
    own = {"products": place / "products", "inventory": place / "inventory.sqlite", "staging": str(place / "staging")}
    settings = mission.settings.model_copy(update={**own, "creation_date": CREATED, **more})
    record = Record()
    LocalRun(Production(settings), record, 2).session(mission.session, RunKey("datatake", "", "single_machine"))
    assert record.done
    root = place / "products"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def everywhere(folder: Path, places: dict[str, str]) -> Path:
    """Write the strategy of one machine with other places for intermediate data (of all clusters: "*")."""
    data = load_strategy("single_machine").model_dump(mode="json")
    for cluster in data["clusters"]:
        cluster["intermediates"] = places.get(cluster["name"], places["*"])
    folder.mkdir()
    (folder / "single_machine.yaml").write_text(yaml.safe_dump(data))
    return folder


def test_level_0_is_the_same_wherever_data_lie(bucket: str, tmp_path: Path) -> None:
    """A folder; S3 with scratch, where two clusters have their intermediate data in a store of their own."""
    mission = simulate(tmp_path / "mission", scale=40, scenes=1, seed=3)
    expected = ran(mission, tmp_path / "folder")
    assert len(expected) > 100
    mixed = everywhere(tmp_path / "mixed", {"*": "scratch", "l0u_ingestion": "bulk", "l0_location": "bulk"})
    bulk = tmp_path / "bulk"
    assert ran(mission, tmp_path / "s3", staging=bucket, strategies=mixed, stores={"bulk": str(bulk)}) == expected
    assert {path.name.split("@")[0] for path in bulk.glob("runs/*/jobs/*")} >= {"L0.GSE", "L0.INIT_LOC_L0"}


@pytest.mark.e2e
def test_all_levels_are_the_same_wherever_data_lie(bucket: str, tmp_path: Path) -> None:
    """A folder; and S3 with scratch, where tiles and one level keep their intermediate data in a store of their own."""
    mission = simulate(tmp_path / "mission", scale=30, scenes=4, seed=1)
    expected = ran(mission, tmp_path / "folder")
    assert any(name.startswith("L2A/") for name in expected)
    mixed = everywhere(tmp_path / "mixed", {"*": "scratch", "l1c_tile": "bulk", "l1a_radiometry": "bulk"})
    stores = {"bulk": bucket.replace("/demo?", "/bulk?")}
    assert ran(mission, tmp_path / "s3", staging=bucket, strategies=mixed, stores=stores) == expected
