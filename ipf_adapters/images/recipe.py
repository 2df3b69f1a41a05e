"""The recipe of an image: `<name>/image.yaml` beside this file, read and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Debian(_Part):
    """A Debian root file system with some packages; the first layer of an image."""

    packages: tuple[str, ...]
    setup: tuple[str, ...] = ()
    """Shell commands run in the root file system before the packages are installed."""
    drop: tuple[str, ...] = ()
    """Patterns (regular expressions of relative paths) of files that no program of the image needs."""


class Python(_Part):
    """Pinned Python packages, without pip."""

    requirements: str
    """File in requirements/ with versions and hashes."""
    prune: tuple[str, ...] = ()
    """Patterns below the package folder that no program needs."""
    keep_botocore: tuple[str, ...] = ()
    """Services whose descriptions botocore keeps; empty: all."""
    from_source: tuple[str, ...] = ()
    """Packages of plain Python that are published without a wheel: built here, with the pinned setuptools."""


class Project(_Part):
    """The project's wheel."""

    without: tuple[str, ...] = ()
    """Folders of the wheel that stay out."""
    commands: bool = False
    """Whether the commands of the wheel are put into /usr/local/bin."""


class Files(_Part):
    """Folders and copies of files of the checkout."""

    folders: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    """Folders the processes of the image may write."""
    copies: dict[str, str] = Field(default_factory=dict)
    """File or folder of the checkout -> absolute path in the image."""


class LayerRecipe(_Part):
    """One layer: exactly one of the kinds."""

    debian: Debian | None = None
    python: Python | None = None
    project: Project | None = None
    files: Files | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"a layer is one of debian, python, project, files; found {sorted(self.model_fields_set)}")
        return self

    @property
    def kind(self) -> str:
        """Return the name of the kind that is set."""
        return next(iter(self.model_fields_set))


class ImageRecipe(_Part):
    """What is in an image and how it starts."""

    title: str
    layers: tuple[LayerRecipe, ...] = Field(min_length=1)
    user: str
    """uid:gid of its processes."""
    environment: dict[str, str] = Field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    folder: str = "/"
    """Working folder of its processes."""

    @model_validator(mode="after")
    def _debian_first(self) -> Self:
        if self.kinds[0] != "debian" or self.kinds.count("debian") != 1:
            raise ValueError("exactly the first layer of an image is debian")
        return self

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the layers in order."""
        return [layer.kind for layer in self.layers]

    @property
    def debian(self) -> Debian:
        """Return the first layer."""
        found = self.layers[0].debian
        if found is None:
            raise ValueError("the first layer of an image is debian")
        return found


def recipe_names() -> list[str]:
    """Return the names of the images there are recipes for."""
    return sorted(path.parent.name for path in HERE.glob("*/image.yaml"))


def load_recipe(name: str) -> ImageRecipe:
    """Read the recipe of an image; raises ValueError naming the file when it does not fit."""
    path = HERE / name / "image.yaml"
    if not path.is_file():
        raise ValueError(f"there is no recipe for image {name!r}: expected one of {', '.join(recipe_names())}")
    try:
        return ImageRecipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
