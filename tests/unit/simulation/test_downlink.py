"""What a receiver of the session finds: packets, ancillary data that fit the true model, counts that fit the truth."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pyproj import Geod, Transformer

from ipf_adapters.science import ancillary_packets, codec, packets
from ipf_adapters.science.geometry import LineTiming, SensorModel
from ipf_adapters.science.packets import Kind, Packet
from ipf_adapters.science.sensor_loading import load_looks, read_delays
from ipf_adapters.science.sun import earth_sun_correction, sun_angles
from ipf_adapters.science.terrain import Terrain
from ipf_adapters.science.trajectory import Attitude, Orbit
from ipf_adapters.simulation import orbit
from ipf_adapters.simulation.instrument import build_instrument, overlap
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.truth import Truth
from s2ps.formats.cadu import Deframer, read_packets
from s2ps.formats.iers import read_bulletin
from s2ps.model.bands import BANDS, Band
from s2ps.model.mission import DETECTORS

Channels = dict[int, list[Packet]]


@pytest.fixture(scope="module")
def channels(simulated: Path, mission: MissionSettings) -> Channels:
    found: Channels = {}
    for channel in (1, 2):
        deframer = Deframer()
        files = sorted((simulated / "session" / mission.session_id / f"ch_{channel}").glob("*.raw"))
        found[channel] = [packets.unpack(data)[0] for data in read_packets(files, deframer)]
        assert deframer.errors == []
    return found


@pytest.fixture(scope="module")
def received_model(simulated: Path, mission: MissionSettings, channels: Channels) -> SensorModel:
    """Build the model of the first datatake from received data only."""
    auxiliary, take = simulated / "auxiliary", mission.takes()[0]
    samples = ancillary_packets.collect(packet for packet in channels[1] if packet.time < take.start_gps + 35.0)
    delays = read_delays(next(auxiliary.glob("*DATATI*")))
    timing = {(d, b): delays[d - 1][b.index] for d in DETECTORS for b in BANDS}
    return SensorModel(
        Orbit(samples.orbit_time, samples.position, samples.velocity),
        Attitude(samples.attitude_time, samples.quaternion),
        load_looks(auxiliary.glob("*VIEDIR*")),
        LineTiming(take.start_gps, mission.line_period, timing),
        scale=mission.scale,
        ut1_minus_utc=read_bulletin(next(auxiliary.glob("*UT1UTC*"))).ut1_minus_utc_at(take.start),
    )


def test_session_holds_exactly_the_datatakes(channels: Channels, mission: MissionSettings) -> None:
    heads = [p for p in channels[1] if p.kind is Kind.CONFIGURATION]
    told = [ancillary_packets.read_configuration(packet) for packet in heads]
    assert [values["datatake_id"] for values in told] == [take.name for take in mission.takes()]
    assert {values["datatake_type"] for values in told} == {"INS-NOBS"}
    for channel, detectors in ((1, range(1, 7)), (2, range(7, 13))):
        images = [p.image for p in channels[channel] if p.image is not None]
        assert {part.detector for part in images} == set(detectors)
        lines = Counter()
        for part in images:
            lines[part.detector, part.band, part.granule] += part.lines * part.band.resolution // 10
        assert set(lines.values()) == {48 * mission.datatakes}
        assert len(lines) == 6 * 13 * mission.scenes


def test_packets_are_in_order_of_time_and_counted_without_gaps(channels: Channels) -> None:
    for received in channels.values():
        times = [packet.time for packet in received]
        assert times == sorted(times)
        counts: dict[int, list[int]] = {}
        for packet in received:
            counts.setdefault(packet.apid, []).append(packet.sequence)
        for numbers in counts.values():
            assert {(after - before) % packets.SEQUENCE_MODULUS for before, after in pairwise(numbers)} <= {1}


def test_ancillary_data_lack_only_the_bias(received_model: SensorModel, truth: Truth, mission: MissionSettings) -> None:
    true = orbit.true_model(mission.takes()[0], build_instrument(mission))
    line, col = np.array([0.0, 20.0, 47.0]), np.array([0.0, 30.0, 63.0])
    geod = Geod(ellps="WGS84")
    for detector, band in ((1, Band.B02), (6, Band.B12), (12, Band.B09)):
        expected = true.locate(detector, band, line, col, 300.0)
        told = received_model.locate(detector, band, line, col, 300.0)
        refined = received_model.with_bias(*truth.bias).locate(detector, band, line, col, 300.0)
        assert np.max(geod.inv(*expected, *refined)[2]) < 0.02
        miss = np.asarray(geod.inv(*expected, *told)[2])
        assert miss.min() > 10.0
        assert miss.max() < 80.0


def test_pixels_are_ten_metres_and_detectors_overlap(received_model: SensorModel, mission: MissionSettings) -> None:
    geod, width = Geod(ellps="WGS84"), Band.B02.width(mission.scale)
    for detector in (1, 6, 12):
        lon, lat = received_model.locate(detector, Band.B02, np.array([40, 41, 40]), np.array([30, 30, 31]), 0.0)
        along = geod.inv(lon[0], lat[0], lon[1], lat[1])[2]
        across = geod.inv(lon[0], lat[0], lon[2], lat[2])[2]
        assert along == pytest.approx(10.0, abs=0.15)
        assert across == pytest.approx(10.0, abs=0.15)
    for detector in range(1, 12):
        lon, lat = received_model.locate(detector, Band.B02, 40.0, width - 1.0, 0.0)
        line, col = received_model.inverse(detector + 1, Band.B02, lon, lat, 0.0)
        assert float(col) == pytest.approx(overlap(mission.scale) - 1.0, abs=0.2)
        assert float(line) == pytest.approx(40.0, abs=1.0)


def test_bands_see_the_same_ground_line(received_model: SensorModel, mission: MissionSettings) -> None:
    lon, lat = received_model.locate(5, Band.B02, 45.0, 31.5, 250.0)
    for band in BANDS:
        line, col = received_model.inverse(5, band, lon, lat, 250.0)
        ratio = band.resolution / 10
        assert (float(line) + 0.5) * ratio == pytest.approx(45.5, abs=1.0)
        assert (float(col) + 0.5) * ratio == pytest.approx(32.0, abs=2.5)


@pytest.mark.parametrize(("band", "detector"), [(Band.B03, 3), (Band.B11, 10), (Band.B10, 8)])
def test_counts_follow_from_the_truth(
    simulated: Path, mission: MissionSettings, channels: Channels, truth: Truth, band: Band, detector: int
) -> None:
    """Invert counts of one detector and compare them, where its pixels fall, with the truth of the tiles."""
    take, instrument = mission.takes()[0], build_instrument(mission)
    parts = [p for p in channels[1 if detector < 7 else 2] if p.image and p.image.detector == detector]
    counts = np.concatenate([
        codec.decompress(p.payload, p.image.lines, p.image.columns)
        for p in parts
        if p.image and p.image.band is band and p.time < take.start_gps + 35.0
    ])  # fmt: skip
    row = detector - 1
    radiance = (counts - instrument.dark[band][row]) / instrument.response[band][row] / instrument.gain[row, band.index]
    radiance = radiance.reshape(counts.shape[0], band.width(mission.scale), -1).mean(axis=2)
    static = simulated / "static"
    terrain = Terrain(static / "S2IPF-DEMSRTM", static / "S2IPF-DEMGEOID")
    model = orbit.true_model(take, instrument)
    lines, columns = np.mgrid[2 : radiance.shape[0] - 2, 2 : radiance.shape[1] - 2]
    lon, lat, _ = model.locate_on(detector, band, lines, columns, terrain)
    zenith, _ = sun_angles(take.middle, lon, lat)
    scale = instrument.irradiance[band.index] * np.cos(np.radians(zenith)) * earth_sun_correction(take.middle) / np.pi
    measured = radiance[2:-2, 2:-2] / scale
    x, y = Transformer.from_crs(4326, mission.epsg, always_xy=True).transform(lon, lat)
    errors = []
    ring = list(zip(x.ravel(), y.ravel(), strict=True))
    corners = [ring[0], ring[columns.shape[1] - 1], ring[-1], ring[-columns.shape[1]]]
    for tile in truth.grid.tiles_intersecting(corners):
        errors.append(_errors(truth, band, tile.name, x, y, measured))
    error = np.concatenate(errors)
    assert error.size > 15
    assert np.sqrt(np.mean(error**2)) < (0.002 if band.resolution < 60 else 0.004)


def _errors(truth: Truth, band: Band, name: str, x: np.ndarray, y: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Compare at pixels whose centre lies within a tenth of a tile pixel's centre, or where the truth is flat."""
    tile = truth.tile(name)
    image = truth.toa_reflectance(band, tile)
    column, row = (x - tile.ulx) / band.resolution - 0.5, (tile.uly - y) / band.resolution - 0.5
    c, r = np.rint(column).astype(int), np.rint(row).astype(int)
    inside = (c > 0) & (r > 0) & (c < image.shape[1] - 1) & (r < image.shape[0] - 1)
    c, r, found = c[inside], r[inside], measured[inside]
    around = np.stack([image[r + i, c + j] for i in (-1, 0, 1) for j in (-1, 0, 1)])
    flat = np.ptp(around, axis=0) < 0.004
    return found[flat] - image[r, c][flat]
