import filecmp
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from ipf_adapters.simulation import orbit
from ipf_adapters.simulation.command import main
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.run import simulate
from ipf_adapters.simulation.truth import Truth
from s2ps.formats import gipp
from s2ps.formats.dsib import read_dsib
from s2ps.formats.eof_header import EofHeader
from s2ps.formats.grib import eccodes
from s2ps.formats.iers import read_bulletin
from s2ps.model.bands import BANDS, Band
from s2ps.model.errors import ConfigurationError
from s2ps.model.names import SessionFileName

SMALL = MissionSettings(scale=40, scenes=1, seed=3)


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_same_seed_gives_same_bytes(simulated: Path, mission: MissionSettings, tmp_path: Path) -> None:
    again = tmp_path / "again"
    simulate(mission, again)
    names = _files(simulated)
    assert names == _files(again)
    _, different, errors = filecmp.cmpfiles(simulated, again, names, shallow=False)
    assert (different, errors) == ([], [])


def test_another_seed_gives_another_instrument_and_ground(mission: MissionSettings, truth: Truth) -> None:
    other = mission.model_copy(update={"seed": mission.seed + 1})
    assert orbit.bias(other) != orbit.bias(mission)
    assert np.any(build_instrument(other).dark[Band.B02] != build_instrument(mission).dark[Band.B02])
    images = [found.surface_reflectance(Band.B02, "32TNQ") for found in (truth, Truth.of(other))]
    assert np.mean(np.abs(images[0] - images[1]) > 0.005) > 0.3


def test_session_folder_holds_what_its_dsibs_list(simulated: Path, mission: MissionSettings) -> None:
    for channel in (1, 2):
        folder = simulated / "session" / mission.session_id / f"ch_{channel}"
        dsib = read_dsib(next(folder.glob("*DSIB.xml")))
        assert dsib.session_id == "S2B_20260701101559048123"
        assert sorted(path.name for path in folder.glob("*.raw")) == sorted(dsib.dsdb_names)
        assert dsib.data_size == sum((folder / name).stat().st_size for name in dsib.dsdb_names)
        parsed = [SessionFileName.parse(name) for name in dsib.dsdb_names]
        assert [name.block for name in parsed] == list(range(1, len(parsed) + 1))


def test_every_auxiliary_type_is_there_and_covers_the_mission(simulated: Path, mission: MissionSettings) -> None:
    paths = list((simulated / "auxiliary").iterdir())
    headers = [EofHeader.from_name(path.name) for path in paths]
    counts: dict[str, int] = {}
    for header in headers:
        counts[header.type] = counts.get(header.type, 0) + 1
        assert header.start <= mission.start
        assert header.stop > mission.takes()[-1].start
    assert len(counts) == 48
    assert sorted(name[4:] for name, count in counts.items() if count == 13) == [
        "R2DECT", "R2DEFI", "R2DENT", "R2EOB2", "R2EQOG", "R2L2NC", "R2MACO", "R2WAFI", "VIEDIR",
    ]  # fmt: skip
    assert all(count in (1, 13) for count in counts.values())
    everywhere = {header.type for header in headers if header.unit == "S2_"}
    assert everywhere == {
        "AUX_UT1UTC", "AUX_ECMWFD", "AUX_CAMSFO", "GIP_EARMOD", "GIP_L2ACAC", "GIP_L2ACSC", "GIP_L2ACFG", "GIP_PROBA2",
    }  # fmt: skip


def test_gipp_shapes_fit_the_instrument(simulated: Path, mission: MissionSettings) -> None:
    folder = simulated / "auxiliary"
    dark = gipp.read_band_gipps(folder.glob("*GIP_R2EOB2*"), gipp.DarkSignal)
    response = gipp.read_band_gipps(folder.glob("*GIP_R2EQOG*"), gipp.RelativeResponse)
    looks = gipp.read_band_gipps(folder.glob("*GIP_VIEDIR*"), gipp.ViewingDirections)
    assert set(dark) == set(response) == set(looks) == set(BANDS)
    for band in BANDS:
        assert dark[band].dark.shape == response[band].response.shape == (12, band.raw_width(mission.scale))
    calibration = gipp.read_gipp(next(folder.glob("*GIP_R2ABCA*")), gipp.AbsoluteCalibration)
    assert calibration.gain.shape == (12, 13)
    assert np.all(calibration.gain > 0)
    sad = gipp.read_gipp(next(folder.glob("*GIP_ATMSAD*")), gipp.SadParameters)
    relative = (mission.absolute_orbit - sad.ORBIT_OFFSET) % sad.TOTAL_ORBITS + 1
    assert relative == mission.relative_orbit
    assert gipp.read_settings(next(folder.glob("*GIP_R2SWIR*"))) == {"enabled": "false"}
    assert gipp.read_gipp(next(folder.glob("*GIP_PROBAS*")), gipp.ProcessingBaseline).Baseline_Version == "05.00"


def test_bulletin_tells_earth_rotation_on_the_day(simulated: Path, mission: MissionSettings) -> None:
    bulletin = read_bulletin(next((simulated / "auxiliary").glob("*UT1UTC*.txt")))
    assert bulletin.tai_minus_utc == 37
    assert abs(bulletin.ut1_minus_utc_at(mission.start)) < 0.9


def test_meteorology_is_grib_with_the_fields_processors_ask_for(simulated: Path, truth: Truth) -> None:
    found: dict[str, float] = {}
    for pattern in ("*ECMWFD*", "*CAMSFO*"):
        with next((simulated / "auxiliary").glob(pattern)).open("rb") as file:
            while (message := eccodes.codes_grib_new_from_file(file)) is not None:
                nearest = eccodes.codes_grib_find_nearest(message, truth.weather.lat, truth.weather.lon)[0]
                found[eccodes.codes_get(message, "shortName")] = nearest.value
                eccodes.codes_release(message)
    assert set(found) == {"tco3", "tcwv", "msl", "aod550"}
    assert found["tcwv"] == pytest.approx(truth.weather.water[0], abs=0.4)
    assert found["aod550"] == pytest.approx(truth.weather.aot[0], abs=0.01)
    assert found["tco3"] / 2.1415e-5 == pytest.approx(truth.weather.ozone[0], abs=2.0)


def test_reference_image_is_the_true_scene_without_clouds(simulated: Path, truth: Truth) -> None:
    folder = simulated / "gri" / "S2__OPER_AUX_GRI022"
    index = json.loads((folder / "gri.json").read_text())
    assert len(index["granules"]) == len(list(folder.glob("*.tif")))
    tile = truth.tile("32TNQ")
    expected = truth.clear_toa_reflectance(Band.B03, tile)
    compared = 0
    for granule in index["granules"]:
        with rasterio.open(folder / granule["file"]) as image:
            assert image.crs.to_epsg() == truth.mission.epsg
            values, bounds = image.read(1) / index["quantification"], image.bounds
        left, top = round((bounds.left - tile.ulx) / 10), round((tile.uly - bounds.top) / 10)
        rows = slice(max(0, top), min(expected.shape[0], top + values.shape[0]))
        columns = slice(max(0, left), min(expected.shape[1], left + values.shape[1]))
        if rows.stop > rows.start and columns.stop > columns.start:
            part = values[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            assert np.abs(part - expected[rows, columns]).max() < 2e-4
            compared += part.size
    assert compared > 1000


def test_a_mission_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "session").mkdir()
    with pytest.raises(ConfigurationError, match="already"):
        simulate(SMALL, tmp_path)


def test_command_names_the_wrong_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--output", str(tmp_path / "x"), "--scale", "99"]) == 2
    assert "--scale" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["--output", str(tmp_path / "x"), "--start", "yesterday"])
    assert "yesterday" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
