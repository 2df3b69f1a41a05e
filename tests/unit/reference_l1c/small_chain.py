"""A small simulated datastrip, calibrated without the L1A processors, and the L1C and L2A jobs run on it in process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from ipf_adapters.reference import registry
from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1c.inverse_grid import projections, seen_window
from ipf_adapters.reference.l1c.tile_folder import TileSheet
from ipf_adapters.science import working
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.terrain import Terrain
from ipf_adapters.simulation import orbit, relief
from ipf_adapters.simulation.auxiliary import write_auxiliary
from ipf_adapters.simulation.earth import Surface
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.radiometry import Exposure, Scenery
from ipf_adapters.simulation.run import weather_of
from ipf_adapters.simulation.sky import Sky
from ipf_adapters.simulation.truth import Truth
from s2ps.formats.job_order import JobOrder, JobOrderInput, JobOrderOutput
from s2ps.formats.tile_list import TileEntry, write_tile_list
from s2ps.model.bands import Band

TILE = "32TNQ"
LIST = "PDI_DS_TILE_LIST"
CREATION = "2026-07-01T12:00:00Z"
NAMES_IN_FILES = {"IERS": "AUX_UT1UTC", "ECMWF": "AUX_ECMWFD", "CAMS": "AUX_CAMSFO"}


@dataclass(frozen=True)
class Chain:
    """Folders of a run."""

    root: Path
    truth: Truth

    @property
    def tile_item(self) -> Path:
        """The L1C tile item."""
        return next((self.root / "FORMAT_METADATA_TILE_L1C" / LIST).glob("*_MSI_L1C_TL_*"))

    @property
    def datastrip_item(self) -> Path:
        """The L1C datastrip item."""
        return next((self.root / "FORMAT_METADATA_DS_L1C" / "PDI_DS").glob("*_MSI_L1C_DS_*"))

    @property
    def l2a_tile_item(self) -> Path:
        """The L2A tile item."""
        return next((self.root / "FORMAT_METADATA_TILE_L2A" / LIST).glob("*_MSI_L2A_TL_*"))

    @property
    def l2a_datastrip_item(self) -> Path:
        """The L2A datastrip item."""
        return next((self.root / "FORMAT_METADATA_DS_L2A" / "PDI_DS").glob("*_MSI_L2A_DS_*"))

    def folder(self, task: str) -> Path:
        """Folder of the tile in the output of a task."""
        return self.root / task / LIST / f"T{TILE}"

    def order(self, task: str, inputs: dict[str, Path], outputs: tuple[str, ...], *auxiliary: str) -> JobOrder:
        """Return the job order of a task on this datastrip."""
        listed = [
            JobOrderInput(name, "Directory" if path.is_dir() else "Physical", (path,)) for name, path in inputs.items()
        ]
        for name in auxiliary:
            found = sorted((self.root / "auxiliary").glob(f"*_{NAMES_IN_FILES.get(name, name)}_*"))
            listed.append(JobOrderInput(name, "Physical", tuple(found)))
        parameters = {
            "CREATION_DATE": CREATION, "PROCESSING_BASELINE": "05.00", "PROCESSING_CENTER": "S2PS",
            "PARALLEL_TILE_IDENT": "001", "ECMWF_L1C_TILE_GENER": "true", "CAMS_L1C_TILE_GENER": "true",
        }  # fmt: skip
        made = tuple(JobOrderOutput(name, "Directory", self.root / task / name) for name in outputs)
        return JobOrder("L1", task, "06.01.00", parameters, tuple(listed), made, stdout_level="WARNING")

    def run(self, task: str, inputs: dict[str, Path], outputs: tuple[str, ...], *auxiliary: str) -> None:
        """Run a task in this process."""
        registry.load(task)(JobContext.of(self.order(task, inputs, outputs, *auxiliary)))

    def fused(self, name: str, *folders: Path) -> Path:
        """Join folders by symbolic links, as the runner does."""
        target = self.root / "fused" / name
        for folder in folders:
            for path in sorted(item for item in folder.rglob("*") if item.is_file()):
                link = target / path.relative_to(folder)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(path)
        return target


def build_chain(root: Path) -> Chain:
    """Simulate, then run L1C and L2A on one tile."""
    mission = MissionSettings(scale=20, scenes=3, seed=3)
    chain = Chain(root, Truth.of(mission))
    _simulate(chain, mission)
    _run_l1c(chain)
    _run_l2a(chain)
    return chain


def _simulate(chain: Chain, mission: MissionSettings) -> None:
    root, take, instrument = chain.root, mission.takes()[0], build_instrument(mission)
    surface, weather = Surface(mission.seed, mission.centre), weather_of(mission)
    relief.write_static(mission, surface, root / "static")
    write_auxiliary(mission, instrument, weather, root / "auxiliary")
    _write_datastrip(root / "PDI_DS", mission)
    terrain = Terrain(root / "static" / "S2IPF-DEMSRTM", root / "static" / "S2IPF-DEMGEOID")
    model = orbit.true_model(take, instrument)
    tile = chain.truth.tile(TILE)
    sheet = TileSheet(TILE, 1, tile.epsg, tile.ulx, tile.uly, tile.scale, (), take.name, "")
    to_map = projections(tile.epsg)[0]
    seen = [
        detector
        for detector in range(1, 13)
        if not seen_window(model, detector, Band.B02, take.lines(Band.B02), sheet, to_map, (0.0, 900.0)).empty
    ]
    write_tile_list(root / "tile_list_file.xml", [TileEntry(1, TILE, tuple(seen))])
    exposure = Exposure(take, instrument, model, Scenery(surface, Sky(mission.seed, mission.centre), weather, terrain))
    for detector in seen:
        for granule, band, counts in exposure.detector(detector):
            row = detector - 1
            image = (counts - instrument.dark[band][row]) / instrument.response[band][row]
            for pixel in instrument.defective:
                if pixel.detector == detector and pixel.band == band.name:
                    image[:, pixel.column] = (image[:, pixel.column - 1] + image[:, pixel.column + 1]) / 2
            quality = np.where(counts >= 4095, working.SATURATED, 0).astype(np.uint8)
            if band.resolution == 60:
                image = image.reshape(len(image), -1, 3).mean(axis=2)
                quality = quality.reshape(len(quality), -1, 3).max(axis=2)
            scenes = range(granule, granule + 1)
            working.write_piece(root / "PDI_ATF_LIST", detector, band, scenes, image.astype(np.float32))
            working.write_piece(root / "VECTOR", detector, band, scenes, quality, "quality")


def _write_datastrip(folder: Path, mission: MissionSettings) -> None:
    take, instrument = mission.takes()[0], build_instrument(mission)
    info = working.DatastripInfo(
        unit=mission.unit, datatake_id=take.name, datatake_type=mission.datatake_type, datastrip_id="DS",
        start=take.start, stop=take.start + timedelta(seconds=take.seconds), absolute_orbit=mission.absolute_orbit,
        relative_orbit=mission.relative_orbit, line_period_ms=mission.line_period * 1e3,
        lines_per_granule=take.granule_lines(Band.B02), granules=mission.scenes, scale=mission.scale,
        reception_station="S2PS",
    )  # fmt: skip
    working.write_datastrip(folder, info)
    places = orbit.sample_orbit(mission, orbit.sample_times(take, instrument, orbit.ORBIT_RATE))
    offset = orbit.ut1_minus_utc(mission, take.start)
    turns = orbit.sample_attitude(mission, orbit.sample_times(take, instrument, orbit.ATTITUDE_RATE), offset)
    ancillary = Ancillary(places.time, places.position, places.velocity, turns.time, turns.quaternion)
    working.write_ancillary(folder, ancillary)
    roll, pitch, yaw = orbit.bias(mission)
    refining = working.Refining(roll=roll, pitch=pitch, yaw=yaw, rms_before=20.0, rms_after=1.0, points=100)
    working.write_refining(folder, refining)


def _run_l1c(chain: Chain) -> None:
    root = chain.root
    datastrip, tiles, static = root / "PDI_DS", root / "tile_list_file.xml", root / "static"
    heights = {"DEM_SRTM": static / "S2IPF-DEMSRTM", "DEM_GEOID": static / "S2IPF-DEMGEOID"}
    base = {"PDI_DS": datastrip, "TILE_LIST_FILE": tiles}
    chain.run("TILE_INIT", {**base, **heights}, (LIST,), "ECMWF", "CAMS", "GIP_TILPAR", "GIP_ECMWFP")
    strips = {"PDI_ATF_LIST": root / "PDI_ATF_LIST", "VECTOR": root / "VECTOR"}
    first = root / "TILE_INIT" / LIST
    chain.run(
        "GEN_ORTHO_TOA",
        {**base, LIST: first, **strips},
        (LIST,),
        "IERS",
        "GIP_VIEDIR",
        "GIP_R2ABCA",
        "GIP_R2PARA",
        "GIP_RESPAR",
        "GIP_DATATI",
    )
    ortho = root / "GEN_ORTHO_TOA" / LIST
    chain.run("TILE_FINALIZE", {**base, LIST: chain.fused("finalize", first, ortho)}, (LIST,))
    finalized = root / "TILE_FINALIZE" / LIST
    whole = chain.fused("mask", ortho, finalized)
    chain.run("MASK_S2", {**base, LIST: whole}, (LIST, "VECTOR"), "GIP_MASPAR", "GIP_CLOPAR", "GIP_R2PARA")
    masks = root / "MASK_S2" / LIST
    both = chain.fused("images", ortho, masks)
    chain.run("FORMAT_IMG_L1C", {**base, LIST: both}, (LIST,), "GIP_JP2KPA")
    chain.run(
        "FORMAT_IMG_PVI_TCI",
        {**base, LIST: both},
        ("PDI_DS_PVI_LIST", "PDI_DS_TCI_LIST"),
        "GIP_R2PARA",
        "GIP_JP2KPA",
        "GIP_HRTPAR",
    )
    pictures = root / "FORMAT_IMG_PVI_TCI"
    everything = chain.fused(
        "metadata", first, finalized, masks, root / "FORMAT_IMG_L1C" / LIST, pictures / "PDI_DS_PVI_LIST",
        pictures / "PDI_DS_TCI_LIST",
    )  # fmt: skip
    chain.run("FORMAT_METADATA_TILE_L1C", {**base, LIST: everything}, (LIST,))
    chain.run(
        "FORMAT_METADATA_DS_L1C",
        {**base, **heights},
        ("PDI_DS",),
        "IERS",
        "ECMWF",
        "CAMS",
        "GIP_R2ABCA",
        "GIP_R2PARA",
        "GIP_VIEDIR",
    )


def _run_l2a(chain: Chain) -> None:
    root = chain.root
    tile, datastrip = chain.tile_item.parent, chain.datastrip_item.parent
    parameters = ("GIP_L2ACSC", "GIP_L2ACAC", "GIP_L2ACFG")
    chain.run("SEN2COR_DS", {"MSI_L1C_DS": datastrip}, ("PDI_DS",), *parameters)
    described = root / "SEN2COR_DS" / "PDI_DS"
    chain.run("FORMAT_METADATA_DS_L2A", {"PDI_DS": described, "MSI_L1C_DS": datastrip}, ("PDI_DS",))
    l2a = root / "FORMAT_METADATA_DS_L2A" / "PDI_DS"
    items = {"MSI_L1C_TL": tile, "MSI_L1C_DS": datastrip, "MSI_L2A_DS": l2a}
    chain.run("SEN2COR_TL", items, (LIST,), *parameters)
    raw = root / "SEN2COR_TL" / LIST
    chain.run("COMPRESS_TILE_IMAGE", {LIST: raw}, (LIST,), "GIP_JP2KPA")
    joined = chain.fused("l2a", raw, root / "COMPRESS_TILE_IMAGE" / LIST)
    chain.run("FORMAT_METADATA_TILE_L2A", {LIST: joined, "MSI_L1C_TL": tile, "MSI_L2A_DS": l2a}, (LIST,))


def copy_of(source: Path, target: Path) -> Path:
    """Copy an input folder, links followed, so that a test may damage it."""
    shutil.copytree(source, target)
    return target
