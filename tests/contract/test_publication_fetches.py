"""Publication from an S3 staging fetches items, reports and records, not the intermediate data beside them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from contract.conftest import Opener
from contract.object_store import Proxy

from s2ps.model.dimensions import DataId, Dimension
from s2ps.model.mission import Level
from s2ps.production.places import Outputs
from s2ps.production.products import Shelf
from s2ps.staging import layout
from s2ps.staging.s3_pack import SMALL_BYTES

TILE = "32TPQ"
ITEM = f"S2B_OPER_MSI_L1C_TL_S2PS_20260702T000000_A048123_T{TILE}_N05.00"
JOBS = {
    "L1CTile.GEN_ORTHO_TOA": {"PDI_DS_TILE_LIST": "T32TPQ/B02.npy"},
    "L1CTile.FORMAT_METADATA_TILE_L1C": {"PDI_TILE": f"T32TPQ/{ITEM}/MTD_TL.xml"},
    "L1CTile.OLQC_TILE_L1C": {"OLQC_REPORT": f"{ITEM}/QI_DATA/report.xml"},
}


def test_only_what_is_published_is_fetched(opened: Opener, proxy: Proxy, tmp_path: Path) -> None:
    writer = opened()
    data_id = DataId.of({Dimension.TILE: [TILE]})
    graph: list[Any] = []
    for name, outputs in JOBS.items():
        tree = writer.begin(layout.job("dt", name))
        for kind, path in outputs.items():
            (tree / kind / path).parent.mkdir(parents=True)
            (tree / kind / path).write_bytes(b"x" * SMALL_BYTES)
        assert writer.commit(tree, layout.job("dt", name))
        kinds = tuple(SimpleNamespace(type=kind) for kind in outputs)
        graph.append(SimpleNamespace(id=name, phase="L1CTile", data_id=data_id, outputs=kinds))
    plan: Any = SimpleNamespace(graph=graph)
    shelf = Shelf.of("dt", [plan], Outputs(opened(proxy.address), {}), Level.L1C, TILE)
    assert [str(item.name) for item in shelf.items] == [ITEM]
    assert (shelf.reports[0] / ITEM / "QI_DATA" / "report.xml").stat().st_size == SMALL_BYTES
    fetched = [line for line in proxy.seen if line.startswith("GET") and "/trees/" in line]
    assert len(fetched) == 2
    assert not any("B02.npy" in line for line in fetched)
