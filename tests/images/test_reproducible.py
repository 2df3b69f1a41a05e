"""The same sources and package versions give the same image, whatever was built before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipf_adapters.images.blobs import LayerCache
from ipf_adapters.images.build import Workshop

pytestmark = pytest.mark.images


def packages(bill: Path) -> set[str]:
    return {entry["purl"] for entry in json.loads(bill.read_text())["components"]}


def test_base_built_from_nothing_has_the_digest_of_the_kept_one(tmp_path: Path) -> None:
    kept = Workshop.of_environment(tmp_path / "first")
    new = Workshop(tmp_path / "second", LayerCache(tmp_path / "cache"))
    new.output.mkdir()
    first, second = kept.build("base"), new.build("base")
    (one,), (two,) = ([*shop.output.glob("base-*.cdx.json")] for shop in (kept, new))
    if packages(one) != packages(two):
        pytest.skip(f"Debian has other versions since the layer was kept: {packages(one) ^ packages(two)}")
    assert first == second
    assert one.read_bytes() == two.read_bytes()
    assert (tmp_path / "first" / one.name.replace(".cdx.json", ".tar")).read_bytes() == (
        tmp_path / "second" / two.name.replace(".cdx.json", ".tar")
    ).read_bytes()
