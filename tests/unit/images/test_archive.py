"""Archives: digests hold, every engine finds its own description, and the bill of materials is valid CycloneDX."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ipf_adapters.images import sbom
from ipf_adapters.images.archive import Built, moment, write_archive
from ipf_adapters.images.blobs import Component, Layer, LayerCache, pack_tree
from ipf_adapters.images.debian import installed
from ipf_adapters.images.inspection import inspect
from ipf_adapters.images.recipe import ImageRecipe

pytestmark = pytest.mark.unit
EPOCH = 1_780_000_000
TAG = "localhost/s2ps/small:1"
STATUS = """Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2+b7

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1
"""
METADATA = "Metadata-Version: 2.4\nName: numpy\nVersion: 2.4.6\nLicense-Expression: BSD-3-Clause AND MIT\n\nText.\n"
PYTHON = "usr/local/lib/python3.11/dist-packages/numpy-2.4.6.dist-info/METADATA"
RECIPE = ImageRecipe.model_validate(
    {
        "title": "small",
        "layers": [{"debian": {"packages": []}}, {"files": {}}],
        "user": "10001:10001",
        "environment": {"PATH": "/bin"},
        "entrypoint": ["python3", "-m", "ipf_adapters.run"],
    }
)


def layer(folder: Path, name: str, files: dict[str, str]) -> Layer:
    for path, text in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text)

    def make(tar: Path) -> tuple[Component, ...]:
        pack_tree(folder / name, tar, EPOCH)
        return installed(STATUS) if "var/lib/dpkg/status" in files else (numpy(),)

    return LayerCache(folder / "cache").layer(name, EPOCH, make)


def numpy() -> Component:
    return Component("pypi", "numpy", "2.4.6", "BSD-3-Clause AND MIT")


@pytest.fixture
def layers(tmp_path: Path) -> list[Layer]:
    return [layer(tmp_path, "one", {"var/lib/dpkg/status": STATUS}), layer(tmp_path, "two", {PYTHON: METADATA})]


def test_digests_sizes_and_layers_hold(tmp_path: Path, layers: list[Layer]) -> None:
    built = write_archive(tmp_path / "image.tar", TAG, RECIPE, layers)
    with tarfile.open(tmp_path / "image.tar") as archive:
        content = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    for name, data in content.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(data).hexdigest() == name.rpartition("/")[2]
    manifest = json.loads(content[f"blobs/{built.digest.replace(':', '/')}"])
    for entry in (manifest["config"], *manifest["layers"]):
        assert len(content[f"blobs/{entry['digest'].replace(':', '/')}"]) == entry["size"]
    configuration = json.loads(content[f"blobs/{built.identity.replace(':', '/')}"])
    unpacked = [gzip.decompress(content[f"blobs/{entry['digest'].replace(':', '/')}"]) for entry in manifest["layers"]]
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(data).hexdigest()}" for data in unpacked]
    assert configuration["config"]["User"] == "10001:10001"
    (docker,) = json.loads(content["manifest.json"])
    assert docker["RepoTags"] == [TAG]
    assert [content[path] for path in docker["Layers"]] == [kept.blob.read_bytes() for kept in layers]


def test_the_same_layers_give_the_same_archive(tmp_path: Path, layers: list[Layer]) -> None:
    first = write_archive(tmp_path / "1.tar", TAG, RECIPE, layers)
    second = write_archive(tmp_path / "2.tar", TAG, RECIPE, layers)
    assert first == second
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()


def test_the_bill_of_materials_is_valid_and_whole(layers: list[Layer]) -> None:
    built = Built(TAG, f"sha256:{'1' * 64}", f"sha256:{'2' * 64}")
    components = [component for part in layers for component in part.components]
    text = sbom.document(built, components, moment(layers))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert {entry["purl"] for entry in bill["components"]} == {
        "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64",
        "pkg:pypi/numpy@2.4.6",
    }
    assert bill["metadata"]["component"]["name"] == "localhost/s2ps/small"
    assert text == sbom.document(built, components[::-1], moment(layers))


def test_what_was_written_is_found_again(tmp_path: Path, layers: list[Layer]) -> None:
    built = write_archive(tmp_path / "image.tar", TAG, RECIPE, layers)
    found = inspect(tmp_path / "image.tar")
    assert found.built == built
    assert found.created == moment(layers)
    assert set(found.components) == {numpy(), *installed(STATUS)}
    assert [component.name for component in installed(STATUS)] == ["bash"]


def test_packages_a_later_layer_removes_are_not_found(tmp_path: Path, layers: list[Layer]) -> None:
    folder, _, name = PYTHON.rpartition("/")[0].rpartition("/")
    gone = layer(tmp_path, "three", {f"{folder}/.wh.{name}": ""})
    recipe = RECIPE.model_copy(update={"layers": (*RECIPE.layers, RECIPE.layers[1])})
    write_archive(tmp_path / "image.tar", TAG, recipe, [*layers, gone])
    assert set(inspect(tmp_path / "image.tar").components) == set(installed(STATUS))


def test_another_tar_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    pack_tree(tmp_path / "x", tmp_path / "x.tar", EPOCH)
    with pytest.raises(ValueError, match="no OCI archive"):
        inspect(tmp_path / "x.tar")
