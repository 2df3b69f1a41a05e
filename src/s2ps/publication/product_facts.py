"""What a published folder is, read from its own metadata and from what the inventory knows of its datatake."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from shapely.geometry.base import BaseGeometry

from s2ps.formats.inventory_metadata import FILE_NAME, InventoryMetadata, read_inventory_metadata
from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.inventory.geometry import footprint_of
from s2ps.model.errors import InputError, PublicationError
from s2ps.model.names import PdiName, UserProductName
from s2ps.model.timestamps import parse_compact

Kind = Literal["DS", "GR", "TL", "TC", "USER", "HKTM", "SAD"]
_HKTM = re.compile(r"(S2[A-Z])_[A-Z0-9]{4}_PRD_HKTM__?_(\d{8}T\d{6})_(\d{8}T\d{6})_.*")
_SAD = "AUX_SADATA"
_KINDS: dict[str, Kind] = {"DS": "DS", "GR": "GR", "TL": "TL", "TC": "TC"}


@dataclass(frozen=True, slots=True)
class Origin:
    """The datatake a product comes from."""

    datatake: str
    t0: datetime
    """When the last input of its session was published."""
    type: str
    """Such as INS-NOBS."""
    absolute_orbit: int
    relative_orbit: int
    degraded: bool = False
    """It was made with auxiliary files that were not the right ones."""
    footprint: BaseGeometry | None = None
    """Of the datastrip, for items of it whose metadata tell none."""
    last_orbit: int | None = None
    """Absolute orbit of the last datatake of the session, where telemetry goes on until there."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a product is; `inventory`, `item` (tile, granule, datastrip) and `product` are its documents."""

    name: str
    """Of the folder."""
    path: Path
    kind: Kind
    type: str
    """MSI_L1C_TL, S2MSI1C ..."""
    level: str
    unit: str
    start: datetime
    stop: datetime
    created: datetime
    """Telemetry does not tell it; there it is the end of its period."""
    centre: str
    origin: Origin
    tile: str | None = None
    inventory: InventoryMetadata | None = None
    item: PdiMetadata | None = None
    item_folder: Path | None = None
    """Where IMG_DATA and QI_DATA are; None: the product itself."""
    product: PdiMetadata | None = None

    @property
    def ring(self) -> list[tuple[float, float]]:
        """Outline as its metadata tell it, (longitude, latitude) in degrees; empty when they do not."""
        for document in (self.product, self.item):
            if document is not None and (found := document.footprint()):
                return found
        return list(self.inventory.footprint) if self.inventory is not None else []

    @property
    def footprint(self) -> BaseGeometry | None:
        """Outline as a valid geometry of EPSG:4326, also over the antimeridian."""
        if self.ring:
            return footprint_of(self.ring)
        return self.origin.footprint if self.kind == "DS" else None

    @property
    def images(self) -> Path:
        """Folder of the images."""
        return (self.item_folder or self.path) / "IMG_DATA"


def is_downlink_item(name: str) -> bool:
    """Tell whether a name is that of housekeeping telemetry (HKTM) or of ancillary data (SAD)."""
    if _HKTM.fullmatch(name):
        return True
    try:
        parsed = PdiName.parse(name)
    except InputError:
        return False
    return parsed.file_type == _SAD and parsed.validity is not None


def read_facts(path: Path, origin: Origin) -> Facts:
    """Read the metadata of a published folder; raise PublicationError or InputError naming what is missing."""
    if path.name.endswith(".SAFE"):
        return _user_product(path, origin)
    if found := _HKTM.fullmatch(path.name):
        start, stop = parse_compact(found[2]), parse_compact(found[3])
        return Facts(path.name, path, "HKTM", "PRD_HKTM__", "HKTM", found[1], start, stop, stop, "", origin)
    name = PdiName.parse(path.name)
    if name.file_type == _SAD:
        if name.validity is None:
            raise PublicationError(f"{path.name} tells no validity", expected="_V<start>_<stop> in its name")
        period = name.validity
        return Facts(
            path.name, path, "SAD", name.file_type, "SAD", name.unit, *period, name.creation, name.site, origin
        )
    return _item(path, name, origin)


def _item(path: Path, name: PdiName, origin: Origin) -> Facts:
    kind = _KINDS.get(name.file_type[-2:])
    if kind is None:
        raise PublicationError(f"{path.name} is of no kind that is published", expected="a DS, GR, TL or TC")
    record = read_inventory_metadata(path / FILE_NAME)
    item = None if kind == "TC" else read_pdi_metadata(metadata_file(path))
    stop = max(record.validity_stop, _last_line(record.validity_start, item)) if kind == "GR" else record.validity_stop
    return Facts(
        name=path.name, path=path, kind=kind, type=name.file_type, level=name.level, unit=name.unit,
        start=record.validity_start, stop=stop, created=record.generation_time,
        centre=record.processing_station, origin=origin, tile=name.tile,
        inventory=record, item=item,
    )  # fmt: skip


def _last_line(first: datetime, item: PdiMetadata | None) -> datetime:
    """Return when the last line of a granule was sensed, where its metadata tell lines and line period."""
    words = (item.first("PROCESSING_SPECIFIC_PARAMETERS") or "").split() if item is not None else []
    told = {name: value for name, _, value in (word.partition("=") for word in words)}
    try:
        return first + timedelta(milliseconds=int(told["LINES_PER_GRANULE"]) * float(told["LINE_PERIOD_MS"]))
    except (KeyError, ValueError, OverflowError):
        return first


def _user_product(path: Path, origin: Origin) -> Facts:
    name = UserProductName.parse(path.name)
    tiles = sorted((path / "GRANULE").glob("*"))
    if len(tiles) != 1:
        raise PublicationError(f"product {path} has {len(tiles)} tiles", expected="one folder in GRANULE")
    product = read_pdi_metadata(path / f"MTD_MSI{name.level}.xml")
    item, record = read_pdi_metadata(tiles[0] / "MTD_TL.xml"), tiles[0] / FILE_NAME
    inventory = read_inventory_metadata(record)
    return Facts(
        name=path.name, path=path, kind="USER", type=product.text("PRODUCT_TYPE"), level=name.level, unit=name.unit,
        start=product.time("PRODUCT_START_TIME"), stop=product.time("PRODUCT_STOP_TIME"),
        created=product.time("GENERATION_TIME"), centre=inventory.processing_station,
        origin=origin, tile=name.tile,
        inventory=inventory, item=item, item_folder=tiles[0], product=product,
    )  # fmt: skip
