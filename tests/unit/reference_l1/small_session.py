"""A small observation of a known ground: packets, parameter files, terrain and reference image, made independently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio import Affine
from scipy import ndimage
from unit.science.small_mission import UT1, build_model

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.l1a.radio_ab import CORRECTIONS_NOT_MADE
from ipf_adapters.reference.registry import load
from ipf_adapters.science import codec, packets, working
from ipf_adapters.science.ancillary_packets import Ancillary
from ipf_adapters.science.geometry import SensorModel
from s2ps.formats import gipp
from s2ps.formats.eof_header import EofHeader
from s2ps.formats.iers import Bulletin, modified_julian_day, write_bulletin
from s2ps.formats.job_order import JobOrder, JobOrderInput, JobOrderOutput
from s2ps.model.bands import BANDS, Band
from s2ps.model.mission import DETECTORS
from s2ps.model.timestamps import from_gps_seconds

VERSION = 7
"""File version of every parameter file."""
SCALE, SCENES, LINES = 40, 2, 48
BIAS = (3e-5, -2e-5, 4e-5)
EPSG = 32632
ORBIT = 22
GAIN, SATURATION = 2.0, 4000
DEFECTIVE_COLUMN = 7
SEEN = (1, 3, 5, 8, 12)
"""Detectors that were read out: enough for every test."""


@dataclass(frozen=True)
class Session:
    """Where everything is, and the model with which the images were really made."""

    root: Path
    true_model: SensorModel

    def folder(self, task: str, output: str) -> Path:
        return self.root / "jobs" / task / output

    def context(
        self,
        name: str,
        inputs: dict[str, Path | list[Path]],
        outputs: tuple[str, ...],
        parameters: dict[str, str] | None = None,
        task: str | None = None,
    ) -> JobContext:
        items = [JobOrderInput(kind, *_paths(value)) for kind, value in inputs.items()]
        for path in sorted((self.root / "auxiliary").iterdir()):
            header = EofHeader.from_name(path.name)
            items.append(JobOrderInput(header.type, "Physical", (path,)))
        grouped = _grouped(items)
        grouped.append(JobOrderInput("IERS", "Physical", (self.root / "iers.txt",)))
        for kind in ("DEM_SRTM", "DEM_GEOID"):
            grouped.append(JobOrderInput(kind, "Directory", (self.root / kind,)))
        physical = ("FRAME_FILE", "GRI_LIST_FILE", "TILE_LIST_FILE", "SEGMENTATION_FILE")
        folder = self.root / "jobs" / (task or name)
        made = tuple(
            JobOrderOutput(kind, "Physical", folder / kind / f"{kind.lower()}.xml")
            if kind in physical
            else JobOrderOutput(kind, "Directory", folder / kind)
            for kind in outputs
        )
        common = {"PROCESSING_BASELINE": "05.00", "CREATION_DATE": "2026-07-01T12:00:00Z", "PROCESSING_CENTER": "S2PS"}
        common["PARALLEL_DETECTOR_IDENT"] = "-".join(f"{detector:02d}" for detector in SEEN)
        order = JobOrder("L1", name, "1", common | (parameters or {}), tuple(grouped), made, stdout_level="ERROR")
        return JobContext.of(order)

    def run(
        self,
        name: str,
        inputs: dict[str, Path | list[Path]],
        outputs: tuple[str, ...],
        parameters: dict[str, str] | None = None,
        task: str | None = None,
    ) -> None:
        load(name)(self.context(name, inputs, outputs, parameters, task))


def _paths(value: Path | list[Path]) -> tuple[str, tuple[Path, ...]]:
    paths = value if isinstance(value, list) else [value]
    return ("Directory" if paths[0].is_dir() else "Physical"), tuple(paths)


def _grouped(items: list[JobOrderInput]) -> list[JobOrderInput]:
    paths: dict[str, list[Path]] = {}
    for item in items:
        paths.setdefault(item.type, []).extend(item.paths)
    kinds = {item.type: item.kind for item in items}
    return [JobOrderInput(kind, kinds[kind], tuple(some)) for kind, some in paths.items()]


class Ground:
    """A texture on the map, smooth at a few pixels of 10 m, 0.05 to 0.6 everywhere."""

    def __init__(self, west: float, north: float, size: int) -> None:
        rng = np.random.default_rng(11)
        noise = ndimage.gaussian_filter(rng.normal(size=(size, size)), 1.8)
        self.values = np.clip(0.3 + 0.1 * noise / noise.std(), 0.05, 0.6)
        self.west, self.north = west, north
        self.coefficients = ndimage.spline_filter(self.values)
        self.to_map = Transformer.from_crs(4326, EPSG, always_xy=True)

    def at(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
        x, y = self.to_map.transform(lon, lat)
        places = [(self.north - y) / 10.0 - 0.5, (x - self.west) / 10.0 - 0.5]
        return ndimage.map_coordinates(self.coefficients, places, prefilter=False, mode="nearest")


def height_plane(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    return 400.0 + 2000.0 * (np.asarray(lat) - 46.0) + 1000.0 * (np.asarray(lon) - 11.0)


def make(root: Path) -> Session:
    """Write the session into a folder."""
    model = build_model(SCALE)
    true = model.with_bias(*BIAS)
    start = from_gps_seconds(model.timing.start)
    _write_terrain(root)
    _write_working(root, model, start)
    ground = _ground(true)
    _write_reference(root / "gri" / f"S2__OPER_AUX_GRI{ORBIT:03d}", ground)
    _write_auxiliary(root / "auxiliary", model)
    day = np.floor(modified_julian_day(start))
    write_bulletin(root / "iers.txt", Bulletin(np.array([day, day + 1]), np.array([UT1, UT1]), 37))
    for detector in SEEN:
        for band in BANDS:
            _write_packets(root / "granules", true, ground, detector, band)
    return Session(root, true)


def dark(band: Band, detector: int) -> np.ndarray:
    return 50.0 + 3.0 * np.sin(np.arange(band.raw_width(SCALE)) * 0.3 + band.index + detector)


def response(band: Band, detector: int) -> np.ndarray:
    return 1.0 + 0.03 * np.cos(np.arange(band.raw_width(SCALE)) * 0.2 + band.index * detector)


def radiance(reflectance: np.ndarray) -> np.ndarray:
    return 1000.0 * reflectance


def _ground(model: SensorModel) -> Ground:
    lon, lat = model.locate(1, Band.B03, [0.0, 96.0], [0.0, 63.0], 400.0)
    other = model.locate(12, Band.B03, [0.0, 96.0], [0.0, 63.0], 400.0)
    lon, lat = np.append(lon, other[0]), np.append(lat, other[1])
    x, y = Transformer.from_crs(4326, EPSG, always_xy=True).transform(lon, lat)
    west, north = np.floor(min(x) / 100) * 100 - 1000, np.ceil(max(y) / 100) * 100 + 1000
    size = int(max(max(x) - west, north - min(y)) / 10) + 100
    return Ground(west, north, size)


def _write_packets(root: Path, model: SensorModel, ground: Ground, detector: int, band: Band) -> None:
    lines, raw = SCENES * LINES * 10 // band.resolution, band.raw_width(SCALE)
    line, col = np.arange(lines)[:, None], (np.arange(raw) + 0.5) * band.width(SCALE) / raw - 0.5

    class Plane:
        def height(self, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return height_plane(lon, lat)

    lon, lat, _ = model.locate_on(detector, band, line, col, Plane())
    counts = dark(band, detector) + GAIN * response(band, detector) * radiance(ground.at(lon, lat))
    counts = np.clip(np.rint(counts), 0, codec.MAXIMUM).astype(np.uint16)
    if (detector, band) == (3, Band.B02):
        counts[:, DEFECTIVE_COLUMN] = 0
        counts[5, 20] = SATURATION + 10
    per_scene = lines // SCENES
    for scene in range(1, SCENES + 1):
        path = working.packets_path(root, detector, scene, band)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = counts[(scene - 1) * per_scene : scene * per_scene]
        path.write_bytes(b"".join(granule_packets(image, detector, band, scene)))


def granule_packets(image: np.ndarray, detector: int, band: Band, scene: int) -> list[bytes]:
    """Return the packets of one granule image."""
    made = []
    for number, first in enumerate(range(0, len(image), band.lines_per_packet)):
        lines = image[first : first + band.lines_per_packet]
        part = packets.ImagePart(detector, band, scene, number, first, len(lines), lines.shape[1])
        made.append(packets.pack(packets.Packet(packets.Kind.IMAGE, number, 1e9, codec.compress(lines), part)))
    return made


def _write_working(root: Path, model: SensorModel, start: datetime) -> None:
    folder = root / "datastrip"
    stop = from_gps_seconds(model.timing.start + SCENES * LINES * model.timing.period)
    info = working.DatastripInfo(
        unit="S2B",
        datatake_id="GS2B_20260701T101559_048123_N05.00",
        datatake_type="INS-NOBS",
        datastrip_id="S2B_OPER_MSI_L0__DS_S2PS_20260701T110000_S20260701T101600_N05.00",
        start=start,
        stop=stop,
        absolute_orbit=48123,
        relative_orbit=ORBIT,
        line_period_ms=model.timing.period * 1000,
        lines_per_granule=LINES,
        granules=SCENES,
        scale=SCALE,
        reception_station="S2PS",
    )
    working.write_datastrip(folder, info)
    orbit, attitude = model.orbit, model.attitude
    ancillary = Ancillary(orbit.time, orbit.position, orbit.velocity, attitude.time, attitude.quaternion)
    working.write_ancillary(folder, ancillary)


def _write_terrain(root: Path) -> None:
    step, west, north, size = 0.002, 10.7, 46.1, 300
    lon, lat = np.meshgrid(west + (np.arange(size) + 0.5) * step, north - (np.arange(size) + 0.5) * step)
    for kind, values in (("DEM_SRTM", height_plane(lon, lat) - 48.0), ("DEM_GEOID", np.full(lon.shape, 48.0))):
        _write_tif(root / kind / "a.tif", values.astype(np.float32), 4326, Affine(step, 0, west, 0, -step, north))


def _write_reference(folder: Path, ground: Ground) -> None:
    values = np.rint(ground.values * 10000).astype(np.uint16)
    half = values.shape[1] // 2
    for name, part, west in (("A", values[:, :half], ground.west), ("B", values[:, half:], ground.west + 10 * half)):
        _write_tif(folder / f"GRI_{name}.tif", part, EPSG, Affine(10, 0, west, 0, -10, ground.north))
    far = Affine(10, 0, ground.west - 50000, 0, -10, ground.north)
    _write_tif(folder / "GRI_C.tif", values[:20, :20], EPSG, far)


def _write_tif(path: Path, values: np.ndarray, epsg: int, transform: Affine) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    form = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1}
    with rasterio.open(path, "w", dtype=values.dtype.name, crs=f"EPSG:{epsg}", transform=transform, **form) as target:
        target.write(values, 1)


def _write_auxiliary(folder: Path, model: SensorModel) -> None:
    folder.mkdir(parents=True)
    for band in BANDS:
        looks = [model.looks[detector, band] for detector in DETECTORS]
        psi = gipp.ViewingDirections(np.array([k.psi_x for k in looks]), np.array([k.psi_y for k in looks]))
        _write(folder, psi, band)
        _write(folder, gipp.DarkSignal(np.array([dark(band, detector) for detector in DETECTORS])), band)
        _write(folder, gipp.RelativeResponse(np.array([response(band, detector) for detector in DETECTORS])), band)
    delays = np.array([[model.timing.delays[detector, band] for band in BANDS] for detector in DETECTORS])
    defective = gipp.DefectivePixels((gipp.DefectivePixel("B02", 3, DEFECTIVE_COLUMN),))
    for content in (
        gipp.DatationTiming(model.timing.period * 1000, -19, SCALE, delays),
        gipp.RadiometricParameters(SATURATION, -1000, 10000, 0, 65535),
        gipp.BlindPixels(0, 0.0),
        gipp.DirectLocationParameters(0.01, 12, 20.0, 5, 2),
        gipp.DecompressionParameters("CCSDS 121.0", 12, 0),
        gipp.CrosstalkCorrection(np.zeros((13, 13))),
        gipp.Binning(3, ("B01", "B09", "B10")),
        defective,
        gipp.AbsoluteCalibration(np.full((12, 13), GAIN), np.full(13, 1800.0), np.full(13, GAIN)),
        gipp.MatchingParameters(33, 6, 0.75, 40),
        gipp.RefiningParameters(0.75, 0.6, 10),
        gipp.GeometricParameters(20, 3.0, 2.0, 1e-4),
        gipp.TileGridParameters(EPSG, 654000.0, 5095000.0, SCALE),
    ):
        _write(folder, content)
    for file_type in CORRECTIONS_NOT_MADE:
        _write(folder, gipp.Settings((gipp.Setting("enabled", "false"),)), file_type=file_type)


def _write(folder: Path, content: gipp.GippContent, band: Band | None = None, file_type: str = "") -> Path:
    tail = f"_B{band.name[1:]}" if band else "_B00"
    name = f"S2B_OPER_{file_type or content.TYPE}_MPC__20260601T120000_V20260101T000000_21000101T000000{tail}.xml"
    gipp.write_gipp(folder / name, replace(EofHeader.from_name(name), version=VERSION), content)
    return folder / name


def write_parameters(folder: Path, content: gipp.GippContent, file_type: str = "") -> Path:
    """Write one parameter file for a test that wants other values."""
    return _write(folder, content, file_type=file_type)
