"""Publication of plain product data items (PDI): the item, its quality reports and its inventory record."""

from __future__ import annotations

from pathlib import Path

from s2ps.formats.inventory_metadata import FILE_NAME as INVENTORY_METADATA
from s2ps.formats.manifest import MANIFEST, write_manifest
from s2ps.model.errors import PublicationError
from s2ps.model.names import PdiName
from s2ps.publication.placing import link_file, link_tree, place
from s2ps.publication.provenance import Provenance
from s2ps.publication.quality_gate import check_gate, read_reports, reports_folder


def publish_pdi(
    pdi_dir: Path, qi_dir: Path | None, inventory_dir: Path | None, provenance: Provenance, destination: Path
) -> Path:
    """Publish an item folder under its own name in `destination` and return the published path.

    `qi_dir` and `inventory_dir` are the folders of this item in the OLQC and INV_MTD outputs, or those outputs
    themselves; None: the item carries its reports already. Raises PublicationError where the quality gate stays shut,
    where the item is absent, or where another content is published under its name.
    """
    name = PdiName.parse(pdi_dir.name)
    if not pdi_dir.is_dir():
        raise PublicationError(f"item {pdi_dir} does not exist", next_step="run the processor that makes it")
    reports = reports_of(pdi_dir, [qi_dir] if qi_dir else [])
    check_gate(name, read_reports(reports))

    def build(folder: Path) -> None:
        link_tree(pdi_dir, folder, leave_out=frozenset({MANIFEST}))
        add_reports(reports, folder)
        add_inventory_metadata(pdi_dir, [inventory_dir] if inventory_dir else [], folder)
        write_manifest(folder, name.file_type, pdi_dir.name)
        provenance.write(folder)

    return place(pdi_dir.name, destination, build)


def reports_of(pdi_dir: Path, folders: list[Path]) -> Path | None:
    """Return the folder with the quality reports of an item; the item's own QI_DATA when there is no other."""
    found = reports_folder(folders, pdi_dir.name)
    if found is not None:
        return found
    own = pdi_dir / "QI_DATA"
    return own if own.is_dir() and any(own.glob("*.xml")) else None


def add_reports(reports: Path | None, folder: Path) -> None:
    """Put the quality reports of an item into QI_DATA of a folder."""
    if reports is None:
        return
    for path in sorted(reports.rglob("*.xml")):
        target = folder / "QI_DATA" / path.name
        if path.name != INVENTORY_METADATA and not target.exists():
            link_file(path, target)


def add_inventory_metadata(pdi_dir: Path, folders: list[Path], folder: Path) -> None:
    """Put Inventory_Metadata.xml of an item into a folder, when there is one."""
    found = reports_folder(folders, pdi_dir.name)
    source = (found or pdi_dir) / INVENTORY_METADATA
    if source.is_file() and not (folder / INVENTORY_METADATA).exists():
        link_file(source, folder / INVENTORY_METADATA)
