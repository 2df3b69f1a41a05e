"""Ingestion of a session: what was recorded comes out granule by granule; what is missing or cut is told."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from unit.reference_l0.downlinks import Run, counts_of, mission, record

from ipf_adapters.reference.errors import MissingInput, TruncatedInput
from ipf_adapters.reference.l0.datastrip_document import read_datastrip_item
from ipf_adapters.reference.l0.granule_document import read_granule_item
from ipf_adapters.reference.l0.spool import Spool
from ipf_adapters.reference.pdi import one_pdi, pdis_in
from ipf_adapters.science import codec
from ipf_adapters.science.packets import iterate
from ipf_adapters.simulation.downlink import write_session
from s2ps.formats.manifest import differences
from s2ps.model.bands import Band

OUTPUTS = ("HKTM_FOLDER", "SAD_FOLDER", "DS_GR_FOLDER")


def image_of(path: Path) -> np.ndarray:
    parts = []
    for _, packet in iterate(path.read_bytes()):
        assert packet.image is not None
        parts.append(codec.decompress(packet.payload, packet.image.lines, packet.image.columns))
    return np.concatenate(parts)


def test_every_granule_holds_what_was_recorded(ingested: Path) -> None:
    items = pdis_in(ingested / "DS_GR_FOLDER" / "DT01" / "GR", "MSI_L0U_GR")
    take = mission().takes()[0]
    assert len(items) == 24
    for path, name in items[::5]:
        granule = read_granule_item(path, name)
        for band in (Band.B02, Band.B8A, Band.B10):
            file = granule.packets(band)
            assert file is not None
            assert file.name == str(name)[:-7] + f"_{band.name}.bin"
            np.testing.assert_array_equal(image_of(file), counts_of(take, granule.detector, granule.scene, band))
        assert list(differences(path)) == []


def test_datastrip_describes_the_datatake(ingested: Path) -> None:
    path, name = one_pdi(ingested / "DS_GR_FOLDER", "MSI_L0U_DS")
    info, metadata = read_datastrip_item(path)
    assert path.parent == ingested / "DS_GR_FOLDER" / "DT01" / "DS"
    assert str(name) == "S2B_OPER_MSI_L0U_DS_S2PS_20260701T120000_S20260701T101559_N00.00"
    assert (info.scale, info.granules, info.lines_per_granule, info.relative_orbit) == (40, 2, 48, 22)
    assert info.line_period_ms == mission().line_period * 1000
    assert info.start == mission().start
    assert metadata.text("DATATAKE_TYPE") == "INS-NOBS"
    assert (metadata.text("SENSING_ORBIT_NUMBER"), info.absolute_orbit) == ("22", 48123)
    assert len(metadata.granule_ids) == 24
    assert float(metadata.text("DEGRADED_MSI_DATA_PERCENTAGE")) == 0
    assert len(list((path / "ANC_DATA").glob("S2B_OPER_AUX_SADATA_*.bin"))) == 1


def test_ancillary_and_telemetry_come_once(ingested: Path) -> None:
    sad = next((ingested / "SAD_FOLDER" / "DT01").iterdir())
    times = [(packet.kind, packet.time) for _, packet in iterate(sad.read_bytes())]
    assert len(times) == len(set(times)) > 200
    telemetry = next((ingested / "HKTM_FOLDER").rglob("*.bin"))
    assert len(list(iterate(telemetry.read_bytes()))) > 20


def test_ingestion_is_deterministic(session: Path, ingested: Path, run_job: Run, tmp_path: Path) -> None:
    files = [path for channel in ("ch_2", "ch_1") for path in sorted((session / channel).iterdir(), reverse=True)]
    run_job("EISP_ING_TYP", tmp_path, {"STO_CADU_S": files}, OUTPUTS)
    first = {str(p.relative_to(ingested)): p.read_bytes() for p in ingested.rglob("*") if p.is_file()}
    again = {str(p.relative_to(tmp_path)): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert first == again


def test_two_datatakes_and_an_unknown_type(run_job: Run, tmp_path: Path) -> None:
    settings = mission(datatakes=2, scenes=1, datatake_type="INS-XYZ")
    session = write_session(tmp_path / "in", settings, record(settings))
    assert [path.name for path in tmp_path.iterdir()] == ["in"], "the session appeared by one rename"
    folder = run_job("EISP_ING_TYP", tmp_path / "job", {"STO_CADU_S": session}, OUTPUTS) / "DS_GR_FOLDER"
    for number, take in enumerate(settings.takes(), start=1):
        info, _ = read_datastrip_item(one_pdi(folder / f"DT{number:02d}", "MSI_L0U_DS")[0])
        items = pdis_in(folder / f"DT{number:02d}", "MSI_L0U_GR")
        granule = read_granule_item(*items[7])
        file = granule.packets(Band.B05)
        assert (info.datatake_id, info.datatake_type, len(items)) == (take.name, "INS-XYZ", 12)
        assert file is not None
        np.testing.assert_array_equal(image_of(file), counts_of(take, granule.detector, 1, Band.B05))


def test_lost_packets_degrade_but_do_not_stop(run_job: Run, tmp_path: Path) -> None:
    settings = mission()
    lost = record(settings, lambda part: (part.detector, part.band, part.granule, part.packet) == (3, Band.B04, 2, 1))
    session = write_session(tmp_path / "in", settings, lost)
    folder = run_job("EISP_ING_TYP", tmp_path / "job", {"STO_CADU_S": session}, OUTPUTS) / "DS_GR_FOLDER"
    granules = [read_granule_item(*pair) for pair in pdis_in(folder, "MSI_L0U_GR")]
    hurt = [g for g in granules if float(g.metadata.text("DEGRADED_MSI_DATA_PERCENTAGE")) > 0]
    assert [(g.detector, g.scene) for g in hurt] == [(3, 2)]


def copy_of(session: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(session, tmp_path / "copy"))


def test_missing_file_is_named(session: Path, run_job: Run, tmp_path: Path) -> None:
    folder = copy_of(session, tmp_path)
    gone = next(folder.rglob("*ch2_DSDB_00001.raw"))
    gone.unlink()
    with pytest.raises(MissingInput, match=re.escape(gone.name)):
        run_job("EISP_ING_TYP", tmp_path / "job", {"STO_CADU_S": folder}, OUTPUTS)


def test_missing_channels_are_told(session: Path, run_job: Run, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match=r"channel 1 of the session has no DSIB"):
        run_job("EISP_ING_TYP", tmp_path / "a", {"STO_CADU_S": session / "ch_2"}, OUTPUTS)
    with pytest.raises(MissingInput, match=r"no packet of D07 B01 to D12 B12 \(78 of 156"):
        run_job("EISP_ING_TYP", tmp_path / "b", {"STO_CADU_S": session / "ch_1"}, OUTPUTS)


def test_cut_file_is_named_with_its_offset(session: Path, run_job: Run, tmp_path: Path) -> None:
    folder = copy_of(session, tmp_path)
    cut = next(folder.rglob("*ch1_DSDB_00001.raw"))
    cut.write_bytes(cut.read_bytes()[:100_300])
    with pytest.raises(TruncatedInput, match=rf"{re.escape(cut.name)} is cut at byte 100300"):
        run_job("EISP_ING_TYP", tmp_path / "job", {"STO_CADU_S": folder}, OUTPUTS)


def test_cut_frame_that_the_dsib_admits(session: Path, run_job: Run, tmp_path: Path) -> None:
    folder = copy_of(session, tmp_path)
    last = sorted(folder.rglob("*ch1_DSDB_*.raw"))[-1]
    last.write_bytes(last.read_bytes()[:-24])
    dsib = next(folder.rglob("*ch1_DSIB.xml"))
    size = sum(path.stat().st_size for path in folder.rglob("*ch1_DSDB_*.raw"))
    dsib.write_text(re.sub(r"<data_size>\d+", f"<data_size>{size}", dsib.read_text()))
    with pytest.raises(TruncatedInput, match=rf"{re.escape(last.name)} is cut: byte \d+: .*1000 of 1024"):
        run_job("EISP_ING_TYP", tmp_path / "job", {"STO_CADU_S": folder}, OUTPUTS)


@pytest.mark.parametrize("limit", [10, 1000])
def test_spool_returns_all_bytes_in_order(tmp_path: Path, limit: int) -> None:
    with Spool(tmp_path / "scratch", limit) as spool:
        for part in range(5):
            spool.add("a", bytes([part]) * 3)
            spool.add("b", b"x")
        assert spool.read("a") == b"".join(bytes([part]) * 3 for part in range(5))
        assert (list(spool.keys()), spool.read("b"), spool.read("c")) == (["a", "b"], b"xxxxx", b"")
        assert (tmp_path / "scratch").exists() == (limit == 10)
    assert not any(tmp_path.rglob("spool-*"))
