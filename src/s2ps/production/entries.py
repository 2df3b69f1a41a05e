"""What a run leaves in the inventory: files of sessions, datastrips, products, and what each was made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from s2ps.formats.pdi_metadata import PdiMetadata, metadata_file, read_pdi_metadata
from s2ps.inventory.geometry import footprint_of
from s2ps.inventory.lineage import Kind, register_production
from s2ps.inventory.observations import datastrips_of
from s2ps.inventory.records import DatastripRecord, DatatakeRecord, ProductRecord, RunRecord, SessionFileRecord
from s2ps.inventory.schema import DATASTRIPS, DATATAKES, PRODUCTS
from s2ps.inventory.statements import put
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError
from s2ps.model.mission import Level
from s2ps.model.names import PdiName, SessionFileName, UserProductName
from s2ps.production.sessions import Session

USER_PRODUCT = ".SAFE"


def session_files(session: Session) -> list[SessionFileRecord]:
    """Return the files of a session as the inventory keeps them."""
    found = []
    for path in session.files:
        name, status = SessionFileName.parse(path.name), path.stat()
        published = datetime.fromtimestamp(status.st_mtime, UTC)
        found.append(
            SessionFileRecord(session.id, path.name, path, name.channel, name.block, status.st_size, published)
        )
    return found


def datastrips(record: DatatakeRecord) -> list[DatastripRecord]:
    """Return the datastrips of a datatake as L0u found them; their footprint is known from Level-0 on."""
    return [
        DatastripRecord(
            id=name, datatake=record.id, session_id=record.session_id, unit=record.unit,
            baseline=PdiName.parse(name).baseline or "", start=record.start, stop=record.stop,
            granules=record.granules, t0=record.t0, station=record.station,
        )
        for name in record.datastrips
    ]  # fmt: skip


def keep_datatakes(
    inventory: Inventory, run: RunRecord, inputs: dict[str, Kind], records: Iterable[DatatakeRecord]
) -> None:
    """Keep the datatakes and datastrips that L0u found, and what it made them of. One transaction."""
    found = tuple(records)
    known = {strip.id: strip for record in found for strip in datastrips_of(inventory, record.id)}
    strips = [strip for record in found for strip in datastrips(record)]

    def keep(connection: Connection) -> None:
        for record in found:
            put(connection, DATATAKES, record)
        for strip in strips:
            before = known.get(strip.id)
            put(connection, DATASTRIPS, replace(strip, footprint=before.footprint) if before else strip)
        register_production(connection, run, inputs, {strip.id: "datastrip" for strip in strips})

    inventory.write(keep)


def product(path: Path, level: Level, record: DatatakeRecord, tile: str | None, degraded: bool) -> ProductRecord:
    """Return a published item or user product as the inventory keeps it; its metadata tell times and footprint."""
    metadata = _metadata(path)
    if path.name.endswith(USER_PRODUCT):
        named = UserProductName.parse(path.name)
        kind, baseline = f"MSI{named.level}", named.baseline
    else:
        item = PdiName.parse(path.name)
        kind, baseline = item.file_type, item.baseline or ""
    start = _time(metadata, "SENSING_TIME", "DATASTRIP_SENSING_START", "PRODUCT_START_TIME") or record.start
    return ProductRecord(
        name=path.name, level=level.value, type=kind, path=path, datatake=record.id, run=record.id,
        published_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        size=sum(file.stat().st_size for file in path.rglob("*") if file.is_file()),
        tile=tile or "", unit=record.unit, baseline=baseline, start=start,
        stop=_time(metadata, "DATASTRIP_SENSING_STOP", "PRODUCT_STOP_TIME") or start,
        t0=record.t0, degraded=degraded, footprint=_footprint(metadata),
    )  # fmt: skip


def keep_products(
    inventory: Inventory, run: RunRecord, inputs: dict[str, Kind], products: Iterable[ProductRecord]
) -> None:
    """Keep the products of a run and what they were made of; a datastrip gets its footprint. One transaction."""
    given = tuple(products)
    known = datastrips_of(inventory, run.subject)
    strips = [strip for strip in known if strip.footprint is None]
    described = next((item.footprint for item in given if item.type.endswith("_DS") and item.footprint), None)
    whole = described or next((strip.footprint for strip in known if strip.footprint), None)
    tiles = {item.tile: item.footprint for item in given if item.type.endswith("_TL")}
    records = [_covering(item, whole if item.type.endswith("_DS") else tiles.get(item.tile)) for item in given]
    outputs: dict[str, Kind] = {record.name: "product" for record in records}

    def keep(connection: Connection) -> None:
        for record in records:
            put(connection, PRODUCTS, record, keep=("published_at",))
        for strip in strips if described else ():
            put(connection, DATASTRIPS, replace(strip, footprint=described))
        register_production(connection, run, inputs, outputs)

    inventory.write(keep)


def _covering(record: ProductRecord, footprint: BaseGeometry | None) -> ProductRecord:
    """Return a product whose metadata tell no footprint with that of its datastrip or tile."""
    return record if record.footprint is not None else replace(record, footprint=footprint)


def _metadata(path: Path) -> PdiMetadata | None:
    try:
        return read_pdi_metadata(metadata_file(path))
    except InputError:
        return None


def _time(metadata: PdiMetadata | None, *tags: str) -> datetime | None:
    for tag in tags:
        if metadata is not None and metadata.first(tag):
            return metadata.time(tag)
    return None


def _footprint(metadata: PdiMetadata | None) -> Polygon | MultiPolygon | None:
    ring = metadata.footprint() if metadata is not None else []
    return footprint_of(ring) if ring else None
