"""Small published folders of every kind with the metadata that publication reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from s2ps.formats.inventory_metadata import FILE_NAME, InventoryMetadata, write_inventory_metadata
from s2ps.publication.product_facts import Origin

DATATAKE = "GS2B_20260701T101559_048123_N05.00"
USER = "S2B_MSIL1C_20260701T101559_N0500_R022_T32TPQ_20260701T120000.SAFE"
TL = "S2B_OPER_MSI_L1C_TL_S2PS_20260701T120000_A048123_T32TPQ_N05.00"
TC = "S2B_OPER_MSI_L1C_TC_S2PS_20260701T120000_A048123_T32TPQ_N05.00"
L1C_DS = "S2B_OPER_MSI_L1C_DS_S2PS_20260701T120000_S20260701T101559_N05.00"
L0_DS = "S2B_OPER_MSI_L0__DS_S2PS_20260701T110000_S20260701T101559_N05.00"
L0_GR = "S2B_OPER_MSI_L0__GR_S2PS_20260701T110000_S20260701T101602_D02_N05.00"
T0 = datetime(2026, 7, 1, 10, 40, tzinfo=UTC)
START, STOP = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC), datetime(2026, 7, 1, 10, 16, 14, tzinfo=UTC)
ORIGIN = Origin(DATATAKE, T0, "INS-NOBS", 48123, 22)
RING = ((10.0, 45.1), (10.2, 45.1), (10.2, 45.0), (10.0, 45.0), (10.0, 45.1))
SIZE, ROWS, COLUMNS = 128, 40, 30


def positions(ring: tuple[tuple[float, float], ...] = RING) -> str:
    """Return a ring as metadata write it."""
    return " ".join(f"{lat} {lon} 0.0" for lon, lat in ring)


def record(name: str, folder: Path, ring: tuple[tuple[float, float], ...] = RING, *, stop: datetime = STOP) -> None:
    """Write the inventory record of an item."""
    kind = name[9:19]
    version, source = "06.01.04", f"{kind[4:7].rstrip('_')}_Processor"
    detector = name.partition("_D")[2][:2] if kind.endswith("GR") else ""
    entry = InventoryMetadata(
        file_id=name, parent_id="", group_id=DATATAKE, file_version="05.00", system="S2PS", source=source,
        source_version=version, generation_time=datetime(2026, 7, 1, 12, tzinfo=UTC), validity_start=START,
        validity_stop=stop, orbit=48123, footprint=ring, quality=100.0, data_size=1, file_type=kind,
        detector=detector, acquisition_station="05", processing_station="S2PS", satellite="S2B",
        cloud_percentage=12.5,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE_NAME).write_bytes(write_inventory_metadata(entry))


def tile_metadata() -> str:
    """Return the metadata of a tile."""
    return f"""<a><TILE_ID>{TL}</TILE_ID><DATASTRIP_ID>{L1C_DS}</DATASTRIP_ID>
<SENSING_TIME>2026-07-01T10:16:00.886125Z</SENSING_TIME><HORIZONTAL_CS_CODE>EPSG:32632</HORIZONTAL_CS_CODE>
<Size resolution="10"><NROWS>{SIZE}</NROWS><NCOLS>{SIZE}</NCOLS></Size>
<Geoposition resolution="10"><ULX>600000</ULX><ULY>5000040</ULY><XDIM>10</XDIM><YDIM>-10</YDIM></Geoposition>
<Mean_Sun_Angle><ZENITH_ANGLE>25.5</ZENITH_ANGLE><AZIMUTH_ANGLE>142.5</AZIMUTH_ANGLE></Mean_Sun_Angle>
<Mean_Viewing_Incidence_Angle><ZENITH_ANGLE>1</ZENITH_ANGLE><AZIMUTH_ANGLE>350</AZIMUTH_ANGLE>
</Mean_Viewing_Incidence_Angle><Mean_Viewing_Incidence_Angle><ZENITH_ANGLE>3</ZENITH_ANGLE>
<AZIMUTH_ANGLE>30</AZIMUTH_ANGLE></Mean_Viewing_Incidence_Angle>
<EXT_POS_LIST>{positions()}</EXT_POS_LIST><NODATA_PIXEL_PERCENTAGE>33.5</NODATA_PIXEL_PERCENTAGE></a>"""


def image(path: Path, *, count: int = 3, size: int = SIZE) -> None:
    """Write a JPEG 2000 image: a ramp with a corner without data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = np.linspace(1, 255, size * size).reshape(size, size).astype(np.uint8)
    ramp[:20, :20] = 0
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=size, height=size, count=count, dtype="uint8", crs="EPSG:32632",
        transform=Affine(10, 0, 600000, 0, -10, 5000040), QUALITY="100", REVERSIBLE="YES",
    ) as found:  # fmt: skip
        found.write(np.stack([ramp] * count))


def user_product(products: Path, name: str = USER, *, cloud: str = "4.5") -> Path:
    """Write a user product."""
    folder = products / "L1C" / name
    tile = folder / "GRANULE" / "L1C_T32TPQ_A048123_20260701T101559"
    image(tile / "IMG_DATA" / "T32TPQ_20260701T101559_TCI.jp2")
    image(tile / "IMG_DATA" / "T32TPQ_20260701T101559_B04.jp2", count=1)
    record(TL, tile)
    (tile / "MTD_TL.xml").write_text(tile_metadata())
    (folder / "manifest.safe").write_text("<manifest/>")
    (folder / "MTD_MSIL1C.xml").write_text(
        f"<a><PRODUCT_START_TIME>2026-07-01T10:15:59Z</PRODUCT_START_TIME><PRODUCT_STOP_TIME>2026-07-01T10:15:59Z"
        f"</PRODUCT_STOP_TIME><PRODUCT_TYPE>S2MSI1C</PRODUCT_TYPE><GENERATION_TIME>2026-07-01T12:00:00Z"
        f"</GENERATION_TIME><Cloud_Coverage_Assessment>{cloud}</Cloud_Coverage_Assessment><U>0.97</U></a>"
    )
    return folder


def tile_items(products: Path) -> tuple[Path, Path]:
    """Write a tile and its true-colour item."""
    tile, colour = products / "PDI" / "L1C" / TL, products / "PDI" / "L1C" / TC
    record(TL, tile)
    record(TC, colour)
    (tile / "MTD_TL.xml").write_text(tile_metadata())
    image(tile / "IMG_DATA" / "T32TPQ_20260701T101559_TCI.jp2")
    image(colour / "T32TPQ_20260701T101559_TCI.jp2")
    return tile, colour


def level_0(products: Path) -> tuple[Path, Path]:
    """Write a Level-0 datastrip with quick-looks of two detectors and two granules each, and a granule."""
    datastrip, granule = products / "PDI" / "L0" / L0_DS, products / "PDI" / "L0" / L0_GR
    record(L0_DS, datastrip)
    record(L0_GR, granule, stop=START)
    (datastrip / f"{L0_DS.replace('_MSI_', '_MTD_')[:-7]}.xml").write_text(
        f"<a><DATASTRIP_ID>{L0_DS}</DATASTRIP_ID></a>"
    )
    (granule / f"{L0_GR.replace('_MSI_', '_MTD_')[:-7]}.xml").write_text(
        f"<a><GRANULE_ID>{L0_GR}</GRANULE_ID><DATASTRIP_ID>{L0_DS}</DATASTRIP_ID><SENSING_TIME>2026-07-01T10:16:02Z"
        f"</SENSING_TIME><EXT_POS_LIST>{positions()}</EXT_POS_LIST><POSITION>61</POSITION></a>"
    )
    quicklooks(datastrip / "QI_DATA")
    return datastrip, granule


def quicklooks(folder: Path, west: float = 10.0) -> None:
    """Write quick-looks: detector 2 is west of detector 1, rows go south, columns go west, brightness says where."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes_r, nodes_c = [0.0, (ROWS - 1) / 2, ROWS - 1.0], [0.0, COLUMNS - 1.0]
    step = 0.002
    strips = []
    for number, detector in enumerate((1, 2)):
        east = west + 2 * COLUMNS * step - number * COLUMNS * step
        longitude = [[_wrapped(east - (c + 0.5) * step) for c in nodes_c] for _ in nodes_r]
        latitude = [[45.0 - (r + 0.5) * step for _ in nodes_c] for r in nodes_r]
        strips.append({"detector": detector, "rows": nodes_r, "cols": nodes_c, "lon": longitude, "lat": latitude})
    note = {"decimation": 3, "rows": ROWS, "cols": COLUMNS, "rows_per_granule": ROWS / 2, "strips": strips}
    counts = np.add.outer(np.arange(ROWS) * 50, np.arange(2 * COLUMNS) * 10).astype(np.uint16) + 100
    for band in ("B02", "B03", "B04"):
        (folder / f"{L0_DS}_{band}_quicklook.json").write_text(json.dumps({"band": band, **note}))
        with rasterio.open(
            folder / f"{L0_DS}_{band}.jp2", "w", driver="JP2OpenJPEG", width=2 * COLUMNS, height=ROWS, count=1,
            dtype="uint16", QUALITY="100", REVERSIBLE="YES", crs="EPSG:32632", transform=Affine(2, 0, 0, 0, -2, 0),
        ) as found:  # fmt: skip
            found.write(counts, 1)


def _wrapped(longitude: float) -> float:
    return (longitude + 180) % 360 - 180
