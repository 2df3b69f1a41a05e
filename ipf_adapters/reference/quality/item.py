"""One product data item as quality control and inventory see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import MissingInput
from s2ps.formats.manifest import MANIFEST
from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.errors import InputError
from s2ps.model.names import PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

MODULO = "PARALLEL_PRODUCT_MODULO"
REMAINDER = "PARALLEL_PRODUCT_REMAINDER"
TRUE_COLOUR = "TC"
_DEPTH = 5


@dataclass(frozen=True)
class Item:
    """An item folder; its metadata are read when first asked for."""

    path: Path
    name: PdiName

    @property
    def kind(self) -> str:
        """DS, GR, TL or TC."""
        return self.name.file_type[-2:]

    @property
    def product(self) -> str:
        """Level and kind as check lists name them: "L0_GR", "L1C_TL"."""
        return f"{self.name.level}_{self.kind}"

    @property
    def stem(self) -> str:
        """The name without baseline, with which the files of the item begin."""
        return str(self.name).removesuffix(f"_N{self.name.baseline}")

    @cached_property
    def metadata(self) -> PdiMetadata:
        """The metadata document; raises InputError when it is absent or cannot be read."""
        return read_pdi_metadata(metadata_file(self.path))

    @cached_property
    def files(self) -> list[Path]:
        """All files of the item."""
        return sorted(path for path in self.path.rglob("*") if path.is_file())


def items_of(ctx: JobContext, types: Sequence[str]) -> list[Item]:
    """Return the items of this job in the inputs of some types, by name; raises MissingInput when there is none.

    PARALLEL_PRODUCT_MODULO and _REMAINDER pick every n-th of all items. Items of type TC count with their tile.
    """
    present = [file_type for file_type in types if ctx.has_input(file_type)]
    found = {item.path.name: item for kind in present for item in _search(ctx.input_dir(kind), _DEPTH)}
    items = [found[name] for name in sorted(found)]
    modulo, remainder = int(ctx.parameter(MODULO, "1")), int(ctx.parameter(REMAINDER, "0"))
    chosen = [item for place, item in enumerate(items) if place % modulo == remainder]
    if not items:
        where = ", ".join(str(path) for kind in present for path in ctx.input_paths(kind)) or "no input at all"
        raise MissingInput(f"no product item in {where}: run the processor that writes it again")
    return chosen


def _search(folder: Path, depth: int) -> list[Item]:
    name = _name_of(folder)
    if name is not None:
        return [Item(folder, name)]
    if depth == 0:
        return []
    return [item for child in sorted(folder.iterdir()) if child.is_dir() for item in _search(child, depth - 1)]


def _name_of(folder: Path) -> PdiName | None:
    """Return the name of an item folder: an image product with a manifest or a metadata file."""
    try:
        name = PdiName.parse(folder.name)
    except InputError:
        return None
    is_item = name.file_type.startswith("MSI_") and ((folder / MANIFEST).is_file() or any(folder.glob("*MTD*.xml")))
    return name if is_item else None
