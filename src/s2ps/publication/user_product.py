"""Publication of user products: one tile with its datastrip metadata, in the compact SAFE layout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from s2ps.formats.inventory_metadata import FILE_NAME as INVENTORY_METADATA
from s2ps.formats.manifest import MANIFEST
from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.model.errors import PublicationError
from s2ps.model.mission import Level
from s2ps.model.names import DatatakeName, PdiName, UserProductName
from s2ps.model.timestamps import compact
from s2ps.publication.items import add_reports, reports_of
from s2ps.publication.placing import link_file, link_tree, place
from s2ps.publication.product_documents import write_index, write_inspire
from s2ps.publication.product_manifest import write_product_manifest
from s2ps.publication.product_metadata import ProductParts, write_product_metadata
from s2ps.publication.provenance import Provenance
from s2ps.publication.quality_gate import Report, check_gate, read_reports

TILE_METADATA, DATASTRIP_METADATA = "MTD_TL.xml", "MTD_DS.xml"
PARTS = ("IMG_DATA", "QI_DATA", "AUX_DATA")


@dataclass(frozen=True, slots=True)
class Item:
    """One of the two items of a user product."""

    path: Path
    name: PdiName
    metadata: PdiMetadata
    reports_folder: Path | None
    reports: tuple[Report, ...]


def publish_user_product(
    level: Level,
    tile_pdi: Path,
    datastrip_pdi: Path,
    qi_dirs: Sequence[Path],
    inventory_dirs: Sequence[Path],
    provenance: Provenance,
    destination: Path,
) -> Path:
    """Publish the user product of a tile in `destination` and return the published path.

    `qi_dirs` and `inventory_dirs` are folders of the two items in the OLQC and INV_MTD outputs, or those outputs
    themselves. Raises PublicationError where the quality gate stays shut or another content has the name, InputError
    where an item cannot be read.
    """
    if level not in (Level.L1C, Level.L2A):
        raise PublicationError(f"level {level} has no user products", expected="L1C or L2A")
    tile = _item(tile_pdi, f"MSI_{level}_TL", qi_dirs)
    datastrip = _item(datastrip_pdi, f"MSI_{level}_DS", qi_dirs)
    _check_belonging(tile, datastrip)
    name = product_name(level, tile, datastrip)

    def build(folder: Path) -> None:
        parts = replace(_parts(level, str(name), tile, datastrip), degraded=provenance.degraded)
        _place_tile(tile, folder / "GRANULE" / parts.granule)
        _place_datastrip(datastrip, folder / "DATASTRIP" / parts.datastrip)
        for source, target in _inventory_records(inventory_dirs, tile, datastrip, parts):
            link_file(source, folder / target)
        write_product_metadata(folder, parts)
        write_inspire(folder, parts)
        write_index(folder, parts)
        write_product_manifest(folder, parts)
        provenance.write(folder)

    return place(str(name), destination, build)


def product_name(level: Level, tile: Item, datastrip: Item) -> UserProductName:
    """Return the name of the product of a tile."""
    datatake = DatatakeName.parse(_datatake_id(datastrip))
    return UserProductName(
        unit=tile.name.unit,
        level=level.value,
        datatake_start=datatake.start,
        baseline=tile.name.baseline or datatake.baseline,
        relative_orbit=int(datastrip.metadata.text("SENSING_ORBIT_NUMBER")),
        tile=tile.name.tile or "",
        discriminator=tile.name.creation,
    )


def _item(path: Path, file_type: str, qi_dirs: Sequence[Path]) -> Item:
    name = PdiName.parse(path.name)
    if name.file_type != file_type:
        raise PublicationError(f"item {path.name} is of type {name.file_type}", expected=file_type)
    if not path.is_dir():
        raise PublicationError(f"item {path} does not exist", next_step="run the processor that makes it")
    folder = reports_of(path, list(qi_dirs))
    reports = read_reports(folder)
    check_gate(name, reports)
    return Item(path, name, read_pdi_metadata(metadata_file(path)), folder, tuple(reports))


def _check_belonging(tile: Item, datastrip: Item) -> None:
    named = tile.metadata.text("DATASTRIP_ID")
    if named != datastrip.path.name:
        raise PublicationError(
            f"tile {tile.path.name} belongs to datastrip {named}, not to {datastrip.path.name}",
            next_step="publish it with its own datastrip",
        )


def _datatake_id(datastrip: Item) -> str:
    identifier = datastrip.metadata.datatake_id
    if identifier is None:
        raise PublicationError(f"metadata {datastrip.metadata.source} tell no datatake", expected="Datatake_Info")
    return identifier


def _parts(level: Level, name: str, tile: Item, datastrip: Item) -> ProductParts:
    start = datastrip.name.sensing_start or datastrip.metadata.time("DATASTRIP_SENSING_START")
    return ProductParts(
        level=level,
        name=name,
        datatake_id=_datatake_id(datastrip),
        granule=f"{level}_T{tile.name.tile}_A{tile.name.absolute_orbit or 0:06d}_{compact(start)}",
        datastrip=f"DS_{datastrip.name.site}_{compact(datastrip.name.creation)}_S{compact(start)}",
        tile_id=tile.path.name,
        datastrip_id=datastrip.path.name,
        tile=tile.metadata,
        datastrip_metadata=datastrip.metadata,
        inspections=tuple(sorted({(report.aspect, report.status) for report in (*tile.reports, *datastrip.reports)})),
    )


def _place_tile(tile: Item, folder: Path) -> None:
    for part in PARTS:
        if (tile.path / part).is_dir():
            link_tree(tile.path / part, folder / part)
    add_reports(tile.reports_folder, folder)
    link_file(tile.metadata.source, folder / TILE_METADATA)


def _place_datastrip(datastrip: Item, folder: Path) -> None:
    skipped = frozenset({MANIFEST, INVENTORY_METADATA, datastrip.metadata.source.name})
    link_tree(datastrip.path, folder, leave_out=skipped)
    add_reports(datastrip.reports_folder, folder)
    link_file(datastrip.metadata.source, folder / DATASTRIP_METADATA)


def _inventory_records(
    folders: Sequence[Path], tile: Item, datastrip: Item, parts: ProductParts
) -> list[tuple[Path, str]]:
    """Return the inventory records of both items and where they go inside the product."""
    from s2ps.publication.quality_gate import reports_folder

    found = []
    for item, place_of in ((tile, f"GRANULE/{parts.granule}"), (datastrip, f"DATASTRIP/{parts.datastrip}")):
        source = (reports_folder(folders, item.path.name) or item.path) / INVENTORY_METADATA
        if source.is_file():
            found.append((source, f"{place_of}/{INVENTORY_METADATA}"))
    return found
