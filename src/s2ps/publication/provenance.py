"""Where a product comes from: kept beside its data as `provenance.json`."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from s2ps.model.errors import InputError

FILE_NAME = "provenance.json"


class ProcessorUsed(BaseModel):
    """One processor that took part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str


class Provenance(BaseModel):
    """The plan, the processors and the inputs a product was made with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan_hash: str
    processors: tuple[ProcessorUsed, ...] = ()
    inputs: tuple[str, ...] = ()
    """Names of the products and auxiliary files that went in."""
    degraded: tuple[str, ...] = ()
    """Auxiliary types for which a fallback stood in, and which; empty for a nominal product."""

    def write(self, product: Path) -> None:
        """Write `provenance.json` into a product folder."""
        (product / FILE_NAME).write_text(self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, product: Path) -> Self:
        """Read `provenance.json` of a product folder; raises InputError naming the file and the reason."""
        path = product / FILE_NAME
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(f"provenance {path} cannot be read: {error}") from error
