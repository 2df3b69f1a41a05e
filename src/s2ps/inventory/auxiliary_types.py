"""The auxiliary types of the mission, read from `auxiliary_types.yaml`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from s2ps.inventory.rules import Fallback, Rule
from s2ps.model.errors import CatalogueError

Stage = Literal["L0U", "L0", "L1", "L2"]


class AuxiliaryType(BaseModel):
    """What holds for every file of one auxiliary type."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    levels: tuple[Stage, ...]
    """Stages of the chain that need it."""
    rule: Rule = Rule.LATEST_VAL_COVER
    unit_dependent: bool = True
    band_dependent: bool = False
    """13 files, one per band."""
    optional: bool = False
    folder: str = "S2IPF-GIPP"
    """Name of the folder in which processors expect it."""
    extension: str = ".xml"
    aliases: tuple[str, ...] = ()
    """Names by which task tables ask for it too."""
    fallback: tuple[Fallback, ...] = ()
    """What may stand in for it, in this order, once its latest useful time has passed."""
    fields: tuple[str, ...] = ()
    """Short names of the GRIB fields its files must hold; it is meteorology then."""
    parts: str = ""
    """Pattern of the files that are joined to one, where a package holds it in pieces."""
    unfolded: bool = False
    """True: its package becomes a folder with the files as they are."""


@cache
def auxiliary_types() -> dict[str, AuxiliaryType]:
    """Return every known type by name."""
    text = files(__package__).joinpath("auxiliary_types.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, AuxiliaryType]).validate_python(yaml.safe_load(text))


def canonical_name(name: str) -> str:
    """Return the name of a type as its files carry it; raise CatalogueError for an unknown type."""
    known = auxiliary_types()
    if name in known:
        return name
    for canonical, described in known.items():
        if name in described.aliases:
            return canonical
    raise CatalogueError(
        f"auxiliary type {name} is not known",
        expected="a type of s2ps/inventory/auxiliary_types.yaml",
        next_step="correct the processor definition or add the type there",
    )
