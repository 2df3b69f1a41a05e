"""Telemetry and ancillary data of a downlink as products: found, placed, packaged, recognised, refused."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from unit.publication.small_products import ORIGIN, START, STOP

from s2ps.formats.manifest import differences
from s2ps.inventory.store import Inventory
from s2ps.model.errors import PublicationError
from s2ps.publication.attributes import attributes_of
from s2ps.publication.downlink_items import find_items, name_of, publish_downlink_item
from s2ps.publication.folder_packages import FolderPackages
from s2ps.publication.product_facts import is_downlink_item, read_facts
from s2ps.publication.provenance import Provenance
from s2ps.publication.publisher import Publisher
from s2ps.publication.retention import Retention

pytestmark = pytest.mark.unit

HKTM = "S2B_OPER_PRD_HKTM___20260701T101559_20260701T101614_0001"
SAD = "S2B_OPER_AUX_SADATA_S2PS_20260701T110000_V20260701T101559_20260701T101614_A048123_WF_LN"
PROVENANCE = Provenance(plan_hash="abc")


def outputs(folder: Path, content: bytes = b"packets") -> Path:
    """Write what Level-0 ingestion writes: telemetry as a folder, ancillary data as files, and what is neither."""
    for name in (f"hktm/{HKTM}/{HKTM}.bin", f"sad/DT01/{SAD}.bin", "sad/DT01/notes.txt", "hktm/.spool/rest"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def published(source: Path, destination: Path) -> Path:
    facts = read_facts(Path(name_of(source)), ORIGIN)
    return publish_downlink_item(source, facts, "S2PS", PROVENANCE, destination)


def test_only_telemetry_and_ancillary_data_are_found_and_each_once(tmp_path: Path) -> None:
    folder = outputs(tmp_path)
    assert [name_of(path) for path in find_items(folder / "hktm")] == [HKTM]
    assert [name_of(path) for path in find_items(folder / "sad")] == [SAD]
    without_period = "S2B_OPER_AUX_SADATA_S2PS_20260701T110000_A048123"
    assert not any(is_downlink_item(name) for name in (without_period, "S2B_OPER_AUX_UT1UTC_S2PS_20260701T110000", ""))


@pytest.mark.parametrize(("kind", "name"), [("hktm", HKTM), ("sad", SAD)])
def test_an_item_is_a_folder_with_a_manifest_that_agrees(tmp_path: Path, kind: str, name: str) -> None:
    (source,) = find_items(outputs(tmp_path) / kind)
    path = published(source, tmp_path / "products")
    assert path.name == name
    assert {file.name for file in path.iterdir()} == {f"{name}.bin", "manifest.safe", "provenance.json"}
    assert list(differences(path)) == []
    manifest = (path / "manifest.safe").read_text()
    assert "2026-07-01T10:15:59" in manifest
    assert ">048123<" in manifest
    assert f"archive_{kind}" in manifest


def test_the_same_is_recognised_and_another_content_is_refused(tmp_path: Path) -> None:
    (source,) = find_items(outputs(tmp_path / "first") / "hktm")
    path = published(source, tmp_path / "products")
    before = path.stat().st_ino
    assert published(source, tmp_path / "products").stat().st_ino == before
    (other,) = find_items(outputs(tmp_path / "second", b"others") / "hktm")
    with pytest.raises(PublicationError, match="another content"):
        published(other, tmp_path / "products")
    assert (path / f"{HKTM}.bin").read_bytes() == b"packets"


def test_users_find_them_with_t0_period_and_orbits_and_a_stac_item(tmp_path: Path) -> None:
    folder, store = outputs(tmp_path), FolderPackages(tmp_path / "packages")
    publisher = Publisher(store, Inventory(tmp_path / "inventory.sqlite"), Retention.load(), tmp_path / "products")
    origin = replace(ORIGIN, last_orbit=48124)
    with publisher.batch(origin) as batch:
        paths = [published(s, tmp_path / "products") for kind in ("hktm", "sad") for s in find_items(folder / kind)]
        found = [batch.publish(path) for path in paths]
    for publication, name in zip(found, (HKTM, SAD), strict=True):
        assert publication.name == f"{name}.tar"
        assert publication.origin_date == ORIGIN.t0
        assert (publication.content_start, publication.content_end) == (START, STOP)
        assert publication.eviction_date is None
        with tarfile.open(urlsplit(publication.location).path) as package:
            assert f"{name}/{name}.bin" in package.getnames()
        item = publication.stac_item
        assert item is not None
        assert item["geometry"] is None
        assert (store.root / "stac" / item["collection"] / ORIGIN.datatake / f"{name}.json").is_file()
    assert [publication.level for publication in found] == ["HKTM", "SAD"]
    attributes = {each.name: each.value for each in attributes_of(read_facts(Path(HKTM), origin))}
    assert (attributes["orbitNumber"], attributes["lastOrbitNumber"]) == (48123, 48124)
