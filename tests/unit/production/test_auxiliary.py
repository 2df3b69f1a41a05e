"""Auxiliary files of a datatake: by level, unit and band; waited for, replaced, and explained."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from s2ps.cli.main import app
from s2ps.formats.grib import eccodes
from s2ps.inventory.auxiliary_files import AuxiliaryFiles
from s2ps.inventory.auxiliary_names import BAND_KEYS
from s2ps.inventory.auxiliary_types import auxiliary_types
from s2ps.inventory.records import DatatakeRecord, SessionRecord
from s2ps.inventory.store import Inventory
from s2ps.model.errors import AuxiliaryMissing, ConfigurationError, InputError
from s2ps.model.mission import Level
from s2ps.production.auxiliary import AuxiliaryChooser, StandIns
from s2ps.production.explanation import StageExplanation, explain_auxiliary
from s2ps.settings import Settings

pytestmark = pytest.mark.unit
START = datetime(2026, 7, 1, 10, 15, 59, tzinfo=UTC)
STOP = START + timedelta(seconds=15)
T0 = START + timedelta(minutes=14)
EARLY, LATE = T0 + timedelta(minutes=29), T0 + timedelta(minutes=30)
DATATAKE = "GS2C_20260701T101559_048123_N05.00"
LONG = "V20150622T000000_21000101T000000"
FIELDS = {"AUX_ECMWFD": ("tco3", "tcwv", "msl"), "AUX_CAMSFO": ("aod550",)}
COUNTS = {"L0U": (4, 4), "L0": (14, 14 + 12), "L1": (42, 42 + 9 * 12), "L2": (6, 6)}


def grib(auxiliary_type: str) -> bytes:
    data = b""
    for field in FIELDS[auxiliary_type]:
        message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
        eccodes.codes_set(message, "shortName", field)
        data += bytes(eccodes.codes_get_message(message))
        eccodes.codes_release(message)
    return data


def put(folder: Path, auxiliary_type: str, unit: str, band: str = "00", validity: str = LONG, **name: str) -> Path:
    kind = auxiliary_types()[auxiliary_type]
    created, file_class = name.get("created", "20260101T000000"), name.get("file_class", "OPER")
    stem = f"{unit}_{file_class}_{auxiliary_type}_MPC__{created}_{validity}"
    tail = f"_B{band}" if auxiliary_type.startswith("GIP") else ""
    path = folder / f"{stem}{tail}{kind.extension}"
    path.write_bytes(grib(auxiliary_type) if kind.fields else b"<a/>")
    return path


class Home:
    """An installation with one datatake and one file of every type and band."""

    def __init__(self, place: Path) -> None:
        self.settings = Settings.load(place)
        self.folder = self.settings.place("auxiliary")
        self.folder.mkdir(parents=True)
        self.inventory = Inventory(self.settings.inventory_location)
        self.inventory.register_session(SessionRecord("S2C_1", place, T0, "SGS_", 4, "S2C", START, STOP))
        levels = ("L0", "L1A", "L1B", "L1C", "L2A")
        record = DatatakeRecord(DATATAKE, "S2C", "INS-NOBS", START, STOP, 1, 22, T0, "S2C_1", 48, ("DS",), levels)
        self.inventory.register_datatake(record)
        for name, kind in auxiliary_types().items():
            for band in BAND_KEYS if kind.band_dependent else ("00",):
                put(self.folder, name, "S2C" if kind.unit_dependent else "S2_", band)

    def file(self, *words: str) -> Path:
        (found,) = [path for path in self.folder.iterdir() if all(word in path.name for word in words)]
        return found

    def choose(self, now: datetime, *types: str) -> list[str]:
        wanted = {name: {Level.L1C} for name in types}
        selection = self.chooser.choose(wanted, "S2C", START, STOP, T0, now)
        return [path.name for name in types for path in selection.paths(name)]

    @property
    def chooser(self) -> AuxiliaryChooser:
        return AuxiliaryChooser(self.settings, self.inventory)

    def explain(self, level: str, now: datetime = EARLY) -> StageExplanation:
        (stage,) = explain_auxiliary(self.settings, self.inventory, DATATAKE, [level], now).stages
        return stage


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("level", COUNTS)
def test_each_level_asks_for_its_types_and_bands(level: str, home: Home) -> None:
    stage = home.explain(level)
    types, files = COUNTS[level]
    assert (len({item.type for item in stage.types}), len(stage.types)) == (types, files)
    assert {item.state for item in stage.types} == {"chosen"}
    optional = {item.type for item in stage.types if item.optional}
    assert optional == ({"GIP_L2ACAC", "GIP_L2ACFG", "GIP_L2ACSC"} if level == "L2" else set())


@pytest.mark.parametrize("level", ["L0", "L1"])
@pytest.mark.parametrize("now", [EARLY, LATE], ids=["in time", "late"])
def test_a_single_missing_band_is_missing(level: str, now: datetime, home: Home) -> None:
    """A type is not there because some of its bands are."""
    home.file("GIP_VIEDIR", "_B8A").unlink()
    stage = home.explain(level, now)
    assert [(item.type, item.band) for item in stage.types if item.state == "missing"] == [("GIP_VIEDIR", "8A")]
    assert not stage.complete
    with pytest.raises(AuxiliaryMissing if now is EARLY else InputError, match="GIP_VIEDIR band B8A"):
        home.choose(now, "GIP_VIEDIR")


def test_every_single_band_of_every_type_counts(home: Home) -> None:
    dependent = [name for name, kind in auxiliary_types().items() if kind.band_dependent]
    assert len(dependent) == 9
    for name in dependent:
        for band in ("01", "12"):
            path = home.file(name, f"_B{band}.")
            content = path.read_bytes()
            path.unlink()
            missing = [(item.type, item.band) for item in home.explain("L1").types if item.state == "missing"]
            assert missing == [(name, band)]
            path.write_bytes(content)


def test_optional_types_may_be_absent_and_others_may_not(home: Home) -> None:
    for name in ("GIP_L2ACAC", "GIP_L2ACFG", "GIP_L2ACSC"):
        home.file(name).unlink()
    stage = home.explain("L2")
    assert [item.state for item in stage.types].count("absent") == 3
    assert stage.complete
    home.file("GIP_PROBA2").unlink()
    assert not home.explain("L2").complete


def test_a_file_is_waited_for_until_the_latest_useful_time(home: Home) -> None:
    path = home.file("AUX_ECMWFD")
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(AuxiliaryMissing, match="AUX_ECMWFD") as waiting:
        home.choose(EARLY, "AUX_ECMWFD", "GIP_DATATI")
    assert waiting.value.until == T0 + timedelta(minutes=75 - 45)
    assert waiting.value.retryable
    path.write_bytes(content)
    assert home.choose(EARLY, "AUX_ECMWFD") == [path.name]


def test_files_of_level_2_are_waited_for_longer(home: Home) -> None:
    home.file("GIP_PROBA2").unlink()
    with pytest.raises(AuxiliaryMissing) as waiting:
        home.chooser.choose({"GIP_PROBA2": {Level.L2A}}, "S2C", START, STOP, T0, LATE)
    assert waiting.value.until == T0 + timedelta(minutes=120 - 45)
    with pytest.raises(InputError, match="GIP_PROBA2"):
        home.chooser.choose({"GIP_PROBA2": {Level.L2A}}, "S2C", START, STOP, T0, T0 + timedelta(minutes=75))


def test_an_older_forecast_stands_in_when_it_is_late_and_the_run_is_degraded(home: Home) -> None:
    home.file("AUX_CAMSFO").unlink()
    put(home.folder, "AUX_CAMSFO", "S2_", validity="V20260629T000000_20260630T000000")
    older = put(home.folder, "AUX_CAMSFO", "S2_", validity="V20260630T000000_20260701T060000")
    with pytest.raises(AuxiliaryMissing):
        home.choose(EARLY, "AUX_CAMSFO")
    selection = home.chooser.choose({"CAMS": {Level.L1C}, "IERS": {Level.L0}}, "S2C", START, STOP, T0, LATE)
    assert selection.paths("CAMS") == (older,)
    assert selection.degraded == ("CAMS: older file, out of validity for 48 h at most",)
    stage = home.explain("L1", LATE)
    assert (stage.complete, stage.degraded) == (True, True)


def test_a_climatology_comes_last_and_never_by_the_rule(home: Home) -> None:
    climatology = put(home.folder, "AUX_CAMSFO", "S2_", created="20300101T000000", file_class="CLIM")
    right = home.file("AUX_CAMSFO", "OPER")
    assert home.choose(LATE, "AUX_CAMSFO") == [right.name]
    right.unlink()
    put(home.folder, "AUX_CAMSFO", "S2_", validity="V20260627T000000_20260628T000000")
    assert home.choose(LATE, "AUX_CAMSFO") == [climatology.name]
    with pytest.raises(AuxiliaryMissing):
        home.choose(EARLY, "AUX_CAMSFO")


def test_parameters_have_no_fallback(home: Home) -> None:
    home.file("GIP_DATATI").unlink()
    put(home.folder, "GIP_DATATI", "S2C", validity="V20150622T000000_20260701T000000")
    with pytest.raises(InputError, match="GIP_DATATI"):
        home.choose(LATE, "GIP_DATATI")
    declared = {name for name, kind in auxiliary_types().items() if kind.fallback}
    assert declared == {"AUX_CAMSFO", "AUX_ECMWFD", "AUX_UT1UTC"}


def test_damaged_and_withdrawn_files_are_not_chosen(home: Home) -> None:
    good = home.file("AUX_ECMWFD")
    bad = put(home.folder, "AUX_ECMWFD", "S2_", created="20260601T000000")
    bad.write_bytes(bad.read_bytes()[:-10])
    assert home.choose(EARLY, "AUX_ECMWFD") == [good.name]
    AuxiliaryFiles(home.inventory).withdraw(good.name, "wrong model run")
    with pytest.raises(AuxiliaryMissing):
        home.choose(EARLY, "AUX_ECMWFD")
    reasons = {item.name: item.why for slot in home.explain("L1").types for item in slot.rejected}
    assert "damaged" in reasons[bad.name]
    assert reasons[good.name] == "withdrawn: wrong model run"


def test_every_reason_is_told(home: Home) -> None:
    names = {
        "before the chosen one": put(home.folder, "GIP_DATATI", "S2C", created="20250101T000000"),
        "it is for S2D, not for S2C": put(home.folder, "GIP_DATATI", "S2D"),
        "valid 2015-06-22T00:00:00Z to 2026-07-01T10:16:00Z only": put(
            home.folder, "GIP_DATATI", "S2C", validity="V20150622T000000_20260701T101600"
        ),
        "files of S2C come first": put(home.folder, "GIP_DATATI", "S2_", created="20260601T000000"),
    }
    (item,) = [item for item in home.explain("L0U").types if item.type == "GIP_DATATI"]
    told = {rejected.name: rejected.why for rejected in item.rejected}
    assert set(told) == {path.name for path in names.values()}
    for reason, path in names.items():
        assert reason in told[path.name]


def test_what_stands_in_stays_while_it_is_there(home: Home, tmp_path: Path) -> None:
    home.file("AUX_CAMSFO").unlink()
    older = put(home.folder, "AUX_CAMSFO", "S2_", validity="V20260630T000000_20260701T060000")
    selection = home.chooser.choose({"AUX_CAMSFO": {Level.L1C}}, "S2C", START, STOP, T0, LATE)
    stand_ins = StandIns().with_those_of(selection)
    assert stand_ins.paths == {"AUX_CAMSFO": [str(older)]}
    assert stand_ins.still_there(["AUX_CAMSFO", "GIP_DATATI"]) == stand_ins
    assert stand_ins.still_there(["GIP_DATATI"]) == StandIns()
    older.unlink()
    assert stand_ins.still_there(["AUX_CAMSFO"]) == StandIns()


def test_the_command_explains_as_text_and_json(home: Home) -> None:
    home.file("GIP_VIEDIR", "_B05").unlink()
    place = str(home.settings.home)
    moment = ["--at", "2026-07-01T10:40:00Z"]
    text = CliRunner().invoke(app, ["auxiliary", "explain", DATATAKE, "--home", place, "--level", "L0", *moment])
    assert text.exit_code == 1
    assert "GIP_VIEDIR B05" in text.output
    assert "latest useful time 2026-07-01T10:59:59Z" in text.output
    done = CliRunner().invoke(app, ["auxiliary", "explain", DATATAKE, "--home", place, "--json", *moment])
    document = json.loads(done.output)
    assert [stage["level"] for stage in document["stages"]] == ["L0U", "L0", "L1", "L2"]
    assert document["stages"][1]["latest_useful"] == "2026-07-01T10:59:59.000000Z"
    session = CliRunner().invoke(app, ["auxiliary", "explain", "S2C_1", "--home", place])
    assert (session.exit_code, "L0U of S2C_1" in session.output) == (0, True)


def test_unknown_names_and_levels_are_named(home: Home) -> None:
    with pytest.raises(InputError, match="neither a datatake nor a session"):
        explain_auxiliary(home.settings, home.inventory, "nothing", [], EARLY)
    with pytest.raises(ConfigurationError, match="L3"):
        home.explain("L3")
