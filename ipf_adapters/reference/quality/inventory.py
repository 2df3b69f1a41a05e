"""Inventory records of items: what INV_MTD_L0, _L1 and _L2 have in common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lxml import etree

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.reference.pdi import read_parameters
from ipf_adapters.reference.quality.item import TRUE_COLOUR, Item, items_of
from s2ps.formats.inventory_metadata import FILE_NAME, InventoryMetadata, write_inventory_metadata
from s2ps.formats.pdi_metadata import PdiMetadata
from s2ps.model.errors import InputError
from s2ps.model.names import DatatakeName, PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

CLOUDS = ("CLOUDY_PIXEL_PERCENTAGE", "CLOUD_COVERAGE_ASSESSMENT", "Cloud_Coverage_Assessment")
GOOD, BAD = 100.0, 0.0


def write_records(ctx: JobContext, types: Sequence[str]) -> None:
    """Write `<item>/Inventory_Metadata.xml` to INVENTORY for the items in some inputs.

    Raises MissingInput for an item without quality reports, InvalidInput for metadata that lack something.
    """
    items = items_of(ctx, types)
    tiles = {item.name.tile: item for item in items if item.kind == "TL"}
    target = ctx.output_dir("INVENTORY")
    for item in items:
        try:
            described = tiles.get(item.name.tile, item) if item.kind == TRUE_COLOUR else item
            record = record_of(item, described.metadata, _quality(ctx, item), ctx)
        except (InputError, ValueError) as error:
            raise InvalidInput(f"item {item.name}: no inventory record can be made: {error}") from error
        path = target / item.path.name / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_inventory_metadata(record))
    if not items:
        (target / f"none_{ctx.parameter('PARALLEL_PRODUCT_REMAINDER', '0')}.txt").write_text("no item in this part\n")
    ctx.log.info(f"{len(items)} inventory records")


def record_of(item: Item, metadata: PdiMetadata, quality: float, ctx: JobContext) -> InventoryMetadata:
    """Return the record of an item; raises InputError or ValueError when its metadata lack something."""
    name, datastrip = item.name, metadata.first("DATASTRIP_ID") or ""
    start, stop = _period(metadata)
    group = metadata.datatake_id or read_parameters(metadata).get("DATATAKE") or _datatake_of(name, datastrip)
    cloud = next((text for tag in CLOUDS if (text := metadata.first(tag))), "0")
    return InventoryMetadata(
        file_id=str(name),
        parent_id="" if item.kind == "DS" else datastrip,
        group_id=group or datastrip,
        file_version=name.baseline or ctx.baseline,
        system="S2PS",
        source=f"{name.level}_Processor",
        source_version=ctx.order.version or "1",
        generation_time=name.creation,
        validity_start=start,
        validity_stop=stop,
        orbit=_orbit(name, group),
        footprint=tuple(metadata.footprint()) or _global_footprint(ctx),
        quality=quality,
        data_size=sum(path.stat().st_size for path in item.files),
        file_type=name.file_type,
        detector="" if name.detector is None else f"{name.detector:02d}",
        acquisition_station=metadata.first("RECEPTION_STATION") or ctx.order.acquisition_station or name.site,
        processing_station=name.site,
        satellite=name.unit,
        cloud_percentage=float(cloud),
    )


def _period(metadata: PdiMetadata) -> tuple[datetime, datetime]:
    if metadata.first("DATASTRIP_SENSING_START"):
        return metadata.time("DATASTRIP_SENSING_START"), metadata.time("DATASTRIP_SENSING_STOP")
    moment = metadata.time("SENSING_TIME")
    return moment, moment


def _orbit(name: PdiName, group: str) -> int:
    if name.absolute_orbit is not None:
        return name.absolute_orbit
    try:
        return DatatakeName.parse(group).absolute_orbit
    except InputError:
        return 0


def _datatake_of(name: PdiName, datastrip: str) -> str:
    """Return the datatake of an item whose name tells the orbit and whose datastrip tells the start, else nothing."""
    if name.absolute_orbit is None or not datastrip:
        return ""
    start = PdiName.parse(datastrip).sensing_start
    return "" if start is None else str(DatatakeName(name.unit, start, name.absolute_orbit, name.baseline or "00.00"))


def _quality(ctx: JobContext, item: Item) -> float:
    """Return 100 when all quality reports of an item passed, 0 when one failed."""
    if item.kind == TRUE_COLOUR or not ctx.has_input("OLQC_REPORT"):
        return GOOD
    reports = sorted((ctx.input_dir("OLQC_REPORT") / item.path.name).rglob("*_report.xml"))
    if not reports:
        raise MissingInput(f"item {item.name} has no quality report: run OLQC again")
    return GOOD if all(_passed(path) for path in reports) else BAD


def _passed(path: Path) -> bool:
    root = etree.fromstring(path.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    return all(node.get("globalStatus") == "PASSED" for node in root.iter("{*}report"))


def _global_footprint(ctx: JobContext) -> tuple[tuple[float, float], ...]:
    """Return the footprint of the datastrip from GML, where it is an input; positions are latitude, longitude."""
    for file_type in ("GLOBAL_FOOTPRINT_GML", "GLOBAL_FOOTPRINT_AI_GML"):
        if not ctx.has_input(file_type):
            continue
        for path in sorted(ctx.input_dir(file_type).rglob("*.gml")):
            parser = etree.XMLParser(resolve_entities=False, no_network=True)
            for node in etree.fromstring(path.read_bytes(), parser).iter("{*}posList"):
                numbers = [float(word) for word in (node.text or "").split()]
                return tuple((numbers[k + 1], numbers[k]) for k in range(0, len(numbers) - 1, 2))
    return ()
