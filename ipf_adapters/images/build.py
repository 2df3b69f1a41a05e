"""From recipes to archives: layers by their inputs, then archive, bill of materials and the entry in images.json."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Self

from ipf_adapters.images import debian, packages, sbom
from ipf_adapters.images.archive import Built, moment, write_archive
from ipf_adapters.images.blobs import WORK, Component, Layer, LayerCache, key_of, pack_tree
from ipf_adapters.images.recipe import PROJECT, Files, LayerRecipe, load_recipe

REPOSITORY = "localhost/s2ps"
PYTHON_PACKAGE = "python3.11-minimal"
"""The Debian package whose version decides how sources are compiled."""
INDEX = "images.json"
VERSION = version("s2ps")


@dataclass
class Workshop:
    """Where images are built and what is known of them."""

    output: Path
    cache: LayerCache
    fresh: bool = False
    _made: set[str] = field(default_factory=set)

    @classmethod
    def of_environment(cls, output: Path | None = None, *, fresh: bool = False) -> Self:
        """Take the folders from S2PS_IMAGES and S2PS_TEST_CACHE."""
        chosen = output or Path(os.environ.get("S2PS_IMAGES") or PROJECT / "var" / "images")
        kept = Path(os.environ.get("S2PS_TEST_CACHE") or Path.home() / ".cache" / "s2ps")
        chosen.mkdir(parents=True, exist_ok=True)
        return cls(chosen.resolve(), LayerCache(kept.resolve() / "images"), fresh)

    def build(self, name: str) -> Built:
        """Build one image: its archive, its bill of materials and its entry in images.json."""
        recipe = load_recipe(name)
        key = "debian-" + key_of(debian.inputs(recipe.debian))
        layers = [self._layer(key, debian.DATE, lambda tar: debian.make(recipe.debian, tar, self._root(key)))]
        python = [component.version for component in layers[0].components if component.name == PYTHON_PACKAGE]
        layers += [self._above(layer, self._root(key), python) for layer in recipe.layers[1:]]
        tag = f"{REPOSITORY}/{name}:{VERSION}"
        archive = self.output / f"{name}-{VERSION}.tar"
        built = write_archive(archive, tag, recipe, layers)
        components = sorted({component for layer in layers for component in layer.components})
        bill = self.output / f"{name}-{VERSION}.cdx.json"
        bill.write_text(sbom.document(built, components, moment(layers)), encoding="utf-8")
        self._enter(name, built, archive, bill, layers)
        return built

    def megabytes(self, name: str) -> str:
        """Return the sizes of an image in words."""
        entry = self._index()[name]
        return f"{int(entry['unpacked']) / 1e6:.0f} MB ({int(entry['compressed']) / 1e6:.0f} MB packed)"

    def _root(self, key: str) -> Path:
        return self.cache.folder / f"{key}.root"

    def _above(self, recipe: LayerRecipe, root: Path, python: Sequence[str]) -> Layer:
        """Return a layer that lies on the Debian one at `root`, which has that version of Python (or none)."""
        sources, plant = self._kind(recipe)
        epoch = epoch_of(sources)
        code = fingerprint(["ipf_adapters/images/packages.py"]) if recipe.files is None else ""
        key = f"{recipe.kind}-" + key_of(recipe.model_dump(mode="json"), fingerprint(sources), epoch, python, code)

        owned = frozenset(folder.lstrip("/") for folder in recipe.files.owned) if recipe.files else frozenset()

        def make(tar: Path) -> tuple[Component, ...]:
            with tempfile.TemporaryDirectory(dir=self.cache.folder, prefix=WORK) as folder:
                tree = Path(folder) / "tree"
                tree.mkdir()
                plant(tree, epoch)
                packages.finish(tree, root, epoch)
                pack_tree(tree, tar, epoch, owned)
                return packages.installed(tree)

        return self._layer(key, epoch, make)

    def _kind(self, recipe: LayerRecipe) -> tuple[Sequence[str], Callable[[Path, int], None]]:
        """Return the sources of a layer and what writes its tree."""
        if recipe.python is not None:
            python = recipe.python
            return [f"requirements/{python.requirements}"], lambda tree, _: packages.requirements_tree(python, tree)
        if recipe.project is not None:
            project = recipe.project
            return packages.WHEEL_SOURCES, lambda tree, epoch: packages.project_tree(project, tree, epoch)
        files = recipe.files or Files()
        return sorted(files.copies), lambda tree, _: copy_files(files, tree)

    def _layer(self, key: str, epoch: int, make: Callable[[Path], tuple[Component, ...]]) -> Layer:
        if self.fresh and key not in self._made:
            (self.cache.folder / f"{key}.json").unlink(missing_ok=True)
        self._made.add(key)
        return self.cache.layer(key, epoch, make)

    def _index(self) -> dict[str, dict[str, int | str]]:
        path = self.output / INDEX
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}

    def _enter(self, name: str, built: Built, archive: Path, bill: Path, layers: Sequence[Layer]) -> None:
        entry: dict[str, int | str] = {
            "reference": f"{REPOSITORY}/{name}@{built.digest}",
            "archive": str(archive),
            "tag": built.tag,
            "id": built.identity,
            "sbom": str(bill),
            "compressed": sum(layer.size for layer in layers),
            "unpacked": sum(layer.unpacked for layer in layers),
        }
        partial = self.output / f".{INDEX}.partial"
        partial.write_text(json.dumps({**self._index(), name: entry}, indent=1, sort_keys=True), encoding="utf-8")
        partial.rename(self.output / INDEX)


def copy_files(recipe: Files, tree: Path) -> None:
    """Copy files and folders of the checkout to where they are in the image."""
    for folder in (*recipe.folders, *recipe.owned):
        (tree / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for source, target in recipe.copies.items():
        place = tree / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / source).is_dir():
            shutil.copytree(
                PROJECT / source, place, ignore=shutil.ignore_patterns("__pycache__"), symlinks=True, dirs_exist_ok=True
            )
        else:
            shutil.copy(PROJECT / source, place)


def epoch_of(sources: Sequence[str]) -> int:
    """Return SOURCE_DATE_EPOCH, or the time of the last commit that touched these paths of the checkout."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    for paths in ([*sources], []):
        command = ["git", "log", "-1", "--format=%ct", "--", *paths]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{PROJECT} is no git checkout: set SOURCE_DATE_EPOCH to the time of the sources")
        if done.stdout.strip():
            return int(done.stdout)
    raise RuntimeError(f"{PROJECT} has no commit: set SOURCE_DATE_EPOCH to the time of the sources")


def fingerprint(sources: Sequence[str]) -> str:
    """Return a hash of the content, names and modes of files and folders of the checkout."""
    total = hashlib.sha256()
    for source in sources:
        top = PROJECT / source
        paths = [top] if top.is_file() else sorted(path for path in top.rglob("*") if path.is_file())
        for path in paths:
            if "__pycache__" in path.parts or "images" in path.relative_to(PROJECT).parts[1:2]:
                continue
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{path.relative_to(PROJECT)} {path.stat().st_mode & 0o111} {content}\n".encode())
    return total.hexdigest()
