"""The L1A and L1B processors in order, some split into several jobs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unit.reference_l1.small_session import Session


@dataclass(frozen=True)
class Chain:
    """Outputs of the chain."""

    session: Session

    def out(self, task: str, kind: str) -> Path:
        return self.session.folder(task, kind)


def fuse(root: Path, *folders: Path) -> Path:
    """Join folders by links, as the runner does; two files of one name must have the same content."""
    for folder in folders:
        for path in sorted(item for item in folder.rglob("*") if item.is_file()):
            link = root / path.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            if link.exists():
                assert link.read_bytes() == path.read_bytes(), f"{link.name} is written twice"
            else:
                link.symlink_to(path.resolve())
    return root


def run_chain(session: Session) -> Chain:
    """Run everything."""
    chain = Chain(session)
    _run_l1a(session)
    _run_refining(session)
    _run_l1b(session, session.folder("SPATIO", "PDI_DS"), "")
    return chain


def _run_l1a(s: Session) -> None:
    start = {"PDI_DS": s.root / "datastrip", "PDI_DS_GR_LIST": s.root / "granules"}
    s.run("UPDATE_LOC", start, ("PDI_DS", "PDI_DS_GR_LIST", "FRAME_FILE", "VECTOR_DS_FOOTPRINT"))
    strip = s.folder("UPDATE_LOC", "PDI_DS")
    granules = fuse(s.root / "fused" / "granules", s.root / "granules", s.folder("UPDATE_LOC", "PDI_DS_GR_LIST"))
    for scene in ("001", "002"):
        part = {"PARALLEL_ATF_BEGIN_GRANULE": scene, "PARALLEL_ATF_END_GRANULE": scene}
        task = f"DECOMP-{scene}"
        s.run(
            "DECOMP",
            {"PDI_DS": strip, "PDI_GR_LIST": granules},
            ("PDI_ATF_LIST", "PDI_DS_GR_LIST", "VECTOR"),
            part,
            task,
        )
    raw, lost = (
        fuse(s.root / "fused" / kind, *(s.folder(f"DECOMP-{scene}", kind) for scene in ("001", "002")))
        for kind in ("PDI_ATF_LIST", "VECTOR")
    )
    s.run("INIT_LOC_L1", {"PDI_DS": strip}, ("PDI_DS_GR_LIST", "VECTOR"))
    inputs = {"PDI_DS": strip, "PDI_ATF_LIST": raw, "VECTOR": lost}
    s.run("RADIO_AB", inputs, ("PDI_GR_LIST", "PDI_ATF_LIST", "VECTOR"))
    masks = fuse(s.root / "fused" / "masks", lost, s.folder("INIT_LOC_L1", "VECTOR"), s.folder("RADIO_AB", "VECTOR"))
    kinds = ("PDI_DS", "VECTOR", "VECTOR_DS_FOOTPRINT")
    tasks = []
    for number, detectors in enumerate(("01-03", "05-08-12")):
        tasks.append(f"RADIO_FINALIZE-{number}")
        part = {"PARALLEL_DETECTOR_IDENT": detectors}
        s.run("RADIO_FINALIZE", {"PDI_DS": strip, "VECTOR": masks}, kinds, part, tasks[-1])
    for kind in kinds:
        fuse(s.folder("RADIO_FINALIZE", kind), *(s.folder(task, kind) for task in tasks))
    inputs = {kind: s.folder("RADIO_FINALIZE", kind) for kind in ("PDI_DS", "VECTOR_DS_FOOTPRINT")}
    s.run("GET_GRI", inputs | {"GRI_ORBIT": s.root / "gri"}, ("GRI_LIST_FILE", "GRI_ORBIT"))


def _run_refining(s: Session) -> None:
    strip, masks = (s.folder("RADIO_FINALIZE", kind) for kind in ("PDI_DS", "VECTOR"))
    reference, listed = s.folder("GET_GRI", "GRI_ORBIT"), s.folder("GET_GRI", "GRI_LIST_FILE") / "gri_list_file.xml"
    s.run("INIT_VS_GEO", {"PDI_DS": strip}, ("VIRTUAL_SENSOR", "SEGMENTATION_FILE"))
    inputs = {"GRI_ORBIT": reference, "GRI_LIST_FILE": listed, "VECTOR": masks}
    passes = {"UNFORMAT_GRI_MASK": ("true", "false"), "UNFORMAT_GRI": ("false", "true")}
    for task, (mask, unpack) in passes.items():
        options = {"MASK_AGGREGATION": mask, "GRI_DECOMPRESSION": unpack}
        if task == "UNFORMAT_GRI":
            options |= {"PARALLEL_GRANULE_BEGIN": "001", "PARALLEL_GRANULE_END": "001"}
        s.run("UNFORMAT_GRI", inputs, ("VECTOR", "GRI_ORBIT"), options, task)
    images = fuse(s.root / "fused" / "reference", reference, s.folder("UNFORMAT_GRI", "GRI_ORBIT"))
    grids = s.folder("INIT_VS_GEO", "VIRTUAL_SENSOR")
    parts = [grids]
    for product in ("IMAGE", "GRI"):
        task = f"RESAMPLE_{product}"
        inputs = {
            "PDI_DS": strip,
            "PDI_ATF_LIST": s.folder("RADIO_AB", "PDI_ATF_LIST"),
            "GRI_ORBIT": images,
            "VIRTUAL_SENSOR": grids,
            "VECTOR": masks,
        }
        s.run("RESAMPLE_TO_VS", inputs, ("VIRTUAL_SENSOR", "VECTOR"), {"PRODUCT_TYPE": product}, task)
        parts.append(s.folder(task, "VIRTUAL_SENSOR"))
    sensor = fuse(s.root / "fused" / "sensor", *parts)
    s.run("TP_COLLECT", {"VIRTUAL_SENSOR": sensor}, ("VIRTUAL_SENSOR", "TIE_POINTS", "GCP_POINTS"))
    found = {"PDI_DS": strip, "HOMOLOG_POINTS_LIST": s.folder("TP_COLLECT", "GCP_POINTS")}
    s.run("TP_FILTER", found, ("VIRTUAL_SENSOR", "HOMOLOG_POINTS_LIST"))
    s.run("SPATIO", {"PDI_DS": strip, "GCP_POINTS": s.folder("TP_FILTER", "HOMOLOG_POINTS_LIST")}, ("PDI_DS",))


def _run_l1b(s: Session, strip: Path, suffix: str) -> None:
    first = s.folder("INIT_LOC_L1", "PDI_DS_GR_LIST")
    listed = s.folder("GET_GRI", "GRI_LIST_FILE") / "gri_list_file.xml"
    geo, metadata, tiles = f"GEO1B_FINALIZE{suffix}", f"FORMAT_METADATA_DS_L1B{suffix}", f"GET_TILE_LIST{suffix}"
    part = {"PARALLEL_BAND_IDENT": "B02" if suffix else "B00-B02-B08"}
    inputs = {"PDI_DS": strip, "PDI_DS_GR_LIST": first}
    s.run("GEO1B_FINALIZE", inputs, ("VECTOR", "PDI_DS_GR_LIST"), part, geo)
    inputs = {"PDI_DS": strip, "VECTOR": s.folder(geo, "VECTOR"), "GRI_LIST_FILE": listed}
    s.run("FORMAT_METADATA_DS_L1B", inputs, ("PDI_DS", "VECTOR"), task=metadata)
    inputs = {
        "PDI_DS": s.folder(metadata, "PDI_DS"),
        "VECTOR": s.folder(geo, "VECTOR"),
        "VECTOR_DS_FOOTPRINT": s.folder(metadata, "VECTOR"),
    }
    s.run("GET_TILE_LIST", inputs, ("PDI_DS", "TILE_LIST_FILE"), task=tiles)


def format_granules(s: Session, level: str, detectors: str, scene: str) -> Path:
    """Run FORMAT_IMG and FORMAT_METADATA_GR of "L1A" or "L1B" for one part; return the folder of the items."""
    part = {"PARALLEL_DETECTOR_IDENT": detectors, "PARALLEL_GRANULE_BEGIN": scene, "PARALLEL_GRANULE_END": scene}
    lists = [s.folder("INIT_LOC_L1", "PDI_DS_GR_LIST"), s.folder("GEO1B_FINALIZE", "PDI_DS_GR_LIST")]
    strip = s.folder("RADIO_FINALIZE" if level == "L1A" else "FORMAT_METADATA_DS_L1B", "PDI_DS")
    inputs = {
        "PDI_DS": strip,
        "PDI_GR_LIST": s.folder("RADIO_AB", "PDI_GR_LIST"),
        "PDI_ATF_LIST": s.folder("RADIO_AB", "PDI_ATF_LIST"),
        "PDI_DS_GR_LIST": fuse(s.root / "fused" / f"geometry{level}", *lists),
    }
    s.run(f"FORMAT_IMG_{level}", inputs, ("PDI_GR_LIST",), part)
    granules = fuse(s.root / "fused" / f"items{level}", *lists, s.folder(f"FORMAT_IMG_{level}", "PDI_GR_LIST"))
    inputs = {"PDI_DS": strip, "PDI_DS_GR_LIST": granules, "VECTOR": s.folder("RADIO_FINALIZE", "VECTOR")}
    s.run(f"FORMAT_METADATA_GR_{level}", inputs, ("PDI_DS_GR_LIST", "VECTOR"), part)
    return s.folder(f"FORMAT_METADATA_GR_{level}", "PDI_DS_GR_LIST")
