"""A small set of published products, and the web service over it, for tests."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from s2ps.inventory.geometry import footprint_of
from s2ps.inventory.publications import Attribute, Checksum, Publication, PublicationStore
from s2ps.inventory.store import Inventory
from s2ps.model.timestamps import format_utc

T0 = datetime(2026, 7, 1, 10, 20, tzinfo=UTC)
SENSED = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
DATATAKE = "GS2B_20260701T101559_043890_N05.00"


def _common(unit: str, kind: str, orbit: int) -> list[Attribute]:
    return [
        Attribute("productType", kind),
        Attribute("platformShortName", "SENTINEL-2"),
        Attribute("platformSerialIdentifier", unit),
        Attribute("orbitNumber", orbit),
        Attribute("relativeOrbitNumber", orbit % 143),
        Attribute("beginningDateTime", SENSED),
        Attribute("qualityStatus", "NOMINAL"),
    ]


def product(
    folder: Path,
    name: str,
    kind: str = "S2MSI1C",
    level: str = "L1C",
    unit: str = "B",
    footprint: BaseGeometry | None = None,
    minutes: int = 0,
    size: int = 64,
    quicklook: bool = False,
    days: int | None = 7,
    **attributes: Any,
) -> Publication:
    """Write a package and return its record; `minutes` moves sensing and publication."""
    content = (hashlib.sha256(name.encode()).digest() * (size // 32 + 1))[:size]
    path = folder / f"{name}.tar"
    path.write_bytes(content)
    image = folder / f"{name}.jpg"
    if quicklook:
        image.write_bytes(b"\xff\xd8\xff" + name.encode())
    start, published = SENSED + timedelta(minutes=minutes), T0 + timedelta(minutes=40 + minutes)
    given = [Attribute(key, value) for key, value in attributes.items()]
    common = [each for each in _common(unit, kind, 43890) if each.name not in attributes]
    made = Publication(
        name=path.name,
        content_type="application/x-tar",
        content_length=size,
        checksums=(Checksum("MD5", hashlib.md5(content, usedforsecurity=False).hexdigest(), published),),
        origin_date=T0,
        published_at=published,
        eviction_date=None if days is None else published + timedelta(days=days),
        content_start=start,
        content_end=start + timedelta(seconds=15),
        footprint=footprint,
        attributes=tuple(sorted([*common, *given], key=lambda each: each.name)),
        location=path.as_uri(),
        quicklook=image.as_uri() if quicklook else None,
        datatake=DATATAKE,
        level=level,
    )
    return replace(made, stac_item=_item(made, name)) if level not in ("HKTM",) else made


def _item(of: Publication, name: str) -> dict[str, Any]:
    shape = of.footprint
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": name,
        "collection": f"sentinel-2-{of.level.lower()}",
        "geometry": None if shape is None else mapping(shape),
        **({} if shape is None else {"bbox": list(shape.bounds)}),
        "properties": {
            "datetime": format_utc(of.content_start),
            "start_datetime": format_utc(of.content_start),
            "end_datetime": format_utc(of.content_end),
            "platform": "sentinel-2b",
        },
        "assets": {"product": {"href": of.location, "type": of.content_type, "roles": ["data"]}},
        "links": [],
    }


def small_set(folder: Path) -> tuple[Publication, ...]:
    """Return ten products: two units, several levels, one over the antimeridian, one without footprint."""
    island = footprint_of([(179.5, -17), (-179.5, -17), (-179.5, -16), (179.5, -16)])
    return (
        product(
            folder,
            "S2B_OPER_MSI_L0__DS_2BPS_20260701T110000_N05.00",
            "MSI_L0__DS",
            "L0",
            footprint=box(9, 44, 12, 48),
        ),
        product(
            folder,
            "S2B_OPER_MSI_L0__GR_2BPS_20260701T110000_D04_N05.00",
            "MSI_L0__GR",
            "L0",
            footprint=box(10, 46, 10.5, 46.4),
            minutes=1,
            cloudCover=0.0,
        ),
        product(
            folder,
            "S2B_MSIL1C_20260701T101559_N0500_R132_T32TPQ_20260701T110000",
            footprint=box(10.3, 45.9, 11.7, 46.9),
            minutes=2,
            size=4096,
            quicklook=True,
            cloudCover=12.5,
            tileId="32TPQ",
        ),
        product(
            folder,
            "S2B_MSIL1C_20260701T101559_N0500_R132_T32TQQ_20260701T110000",
            footprint=box(11.6, 45.9, 13.0, 46.9),
            minutes=3,
            cloudCover=80.25,
            tileId="32TQQ",
        ),
        product(
            folder,
            "S2B_MSIL2A_20260701T101559_N0500_R132_T32TPQ_20260701T113000",
            "S2MSI2A",
            "L2A",
            footprint=box(10.3, 45.9, 11.7, 46.9),
            minutes=4,
            size=8192,
            quicklook=True,
            cloudCover=12.5,
            tileId="32TPQ",
        ),
        product(
            folder,
            "S2A_MSIL1C_20260701T220000_N0500_R072_T01KAB_20260701T230000",
            unit="A",
            footprint=island,
            minutes=700,
            cloudCover=3.0,
            tileId="01KAB",
            orbitNumber=57000,
            relativeOrbitNumber=72,
        ),
        product(
            folder,
            "S2A_MSIL2A_20260701T220000_N0500_R072_T01KAB_20260701T233000",
            "S2MSI2A",
            "L2A",
            unit="A",
            footprint=island,
            minutes=701,
            cloudCover=3.0,
            tileId="01KAB",
            orbitNumber=57000,
            relativeOrbitNumber=72,
            qualityStatus="DEGRADED",
        ),
        product(
            folder,
            "S2B_OPER_PRD_HKTM___20260701T101500_20260701T102500_0001",
            "PRD_HKTM__",
            "HKTM",
            minutes=5,
            days=None,
            lastOrbitNumber=43891,
        ),
        product(
            folder,
            "S2B_OPER_AUX_SADATA_2BPS_20260701T110000_V20260701T101500_20260701T102500_A043890_WF_LN",
            "AUX_SADATA",
            "SAD",
            minutes=6,
            days=None,
            degraded=False,
        ),
        product(
            folder,
            "S2B_odd 100%_name's product",
            "OTHER_TYPE",
            "L1B",
            footprint=box(-1, -1, 1, 1),
            minutes=7,
            degraded=True,
            cloudCover=100.0,
        ),
    )


def publish(inventory: Inventory, products: tuple[Publication, ...]) -> tuple[Publication, ...]:
    """Publish products and return them as they are kept."""
    store = PublicationStore(inventory)
    kept = {each.name: store.publish(each) for each in sorted(products, key=lambda each: each.published_at)}
    return tuple(kept[each.name] for each in products)
