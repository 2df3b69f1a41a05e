"""The Level-0 chain on a tiny session: located, consolidated and unpacked again without loss."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unit.reference_l0.downlinks import Run, counts_of, mission

from ipf_adapters.reference.errors import InvalidInput, MissingInput, TruncatedInput
from ipf_adapters.reference.l0.datastrip_document import read_datastrip_item
from ipf_adapters.reference.l0.gse import missing_times
from ipf_adapters.reference.l0.packet_files import split_packets
from ipf_adapters.reference.l0.quicklook import read_quicklook, reduce_image
from ipf_adapters.reference.l0.source import raw_datastrip, sad_file
from ipf_adapters.reference.pdi import one_pdi, pdis_in
from ipf_adapters.science import working
from ipf_adapters.science.ancillary_packets import attitude_payload, collect
from ipf_adapters.science.packets import Kind, Packet, pack
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.orbit import true_model
from s2ps.formats.manifest import differences
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.bands import BANDS, QL_BANDS, Band

Chain = Any
METRES = 111_000.0


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return metres between (lon, lat) points."""
    east = (a[0] - b[0]) * np.cos(np.radians(a[1]))
    return float(np.hypot(east, a[1] - b[1]) * METRES)


def test_footprints_are_where_the_sensor_looked(chain: Chain) -> None:
    take = mission().takes()[0]
    model = true_model(take, build_instrument(take.mission)).with_bias(0.0, 0.0, 0.0)
    located = chain.job("init_loc") / "PDI_DS_GR_LIST"
    for detector, scene in ((1, 1), (8, 2)):
        info = working.read_granule(located, detector, scene)
        described = json.loads((located / f"D{detector:02d}_granules_INIT_LOC_L0.json").read_text())["granules"]
        height = described[scene - 1]["centre"][2]
        first = (scene - 1) * 48
        for corner, (line, col) in enumerate([(0, 0), (0, 64), (48, 64), (48, 0)]):
            lon, lat = model.locate(detector, Band.B02, first + line - 0.5, col - 0.5, height)
            assert distance(info.footprint[corner], (float(lon), float(lat))) < 1.0
        assert info.footprint[0] == info.footprint[-1]


def test_gse_repairs_and_keeps_the_original(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    raw = Path(shutil.copytree(chain.raw, tmp_path / "raw"))
    sad = sad_file(one_pdi(raw, "MSI_L0U_DS")[0] / "ANC_DATA")
    good = collect(packet for packet, _ in split_packets(sad.read_bytes(), sad.name))
    parts, number = [], 0
    for packet, data in split_packets(sad.read_bytes(), sad.name):
        number += packet.kind is Kind.ATTITUDE
        if packet.kind is Kind.ATTITUDE and number in (40, 41, 42):
            continue
        if packet.kind is Kind.ATTITUDE and number == 60:
            scaled = attitude_payload(-1.02 * np.array(good.quaternion[59]))
            data = pack(Packet(Kind.ATTITUDE, packet.sequence, packet.time, scaled))
        parts.append(data)
    sad.write_bytes(b"".join(parts))
    received = sad.read_bytes()
    folder = run_job("GSE", tmp_path / "job", {"PDI_L0U": raw}, ("PDI_L0U", "BACKUP_DIR"))
    made = sad_file(folder / "PDI_L0U")
    repaired = collect(packet for packet, _ in split_packets(made.read_bytes(), made.name))
    np.testing.assert_allclose(repaired.attitude_time, good.attitude_time, atol=1e-6)
    turns = np.abs(np.sum(repaired.quaternion * good.quaternion, axis=1))
    np.testing.assert_allclose(turns, 1.0, atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(repaired.quaternion, axis=1), 1.0, atol=1e-12)
    assert (made.parent / f"original_{made.name}").read_bytes() == received
    assert (folder / "BACKUP_DIR" / f"original_{made.name}").read_bytes() == received
    assert sad.read_bytes() == received


def test_only_short_gaps_are_filled() -> None:
    regular = np.arange(100.0)
    np.testing.assert_allclose(missing_times(np.delete(regular, [10, 11, 50])), [10, 11, 50])
    assert len(missing_times(np.delete(regular, range(20, 40)))) == 0


def test_parts_make_what_the_whole_makes(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    whole = chain.job("format_isp")
    inputs = {"PDI_DS": chain.raw, "ISP_LIST": chain.raw}
    for detector in ("03", "04"):
        for scene in ("001", "002"):
            part = {"PARALLEL_DETECTOR_IDENT": detector, "PARALLEL_GRANULE_BEGIN": scene, "PARALLEL_GRANULE_END": scene}
            run_job("FORMAT_ISP", tmp_path, inputs, ("PDI_GR_LIST", "ISP_INFOS"), **part)
    made = sorted(path.relative_to(tmp_path) for path in (tmp_path / "PDI_GR_LIST").rglob("*.isp"))
    assert len(made) == 2 * 2 * 13
    assert all((tmp_path / path).read_bytes() == (whole / path).read_bytes() for path in made)
    assert len(list((tmp_path / "ISP_INFOS").iterdir())) == 4


def test_cut_packet_is_told_by_place(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    raw = Path(shutil.copytree(chain.raw, tmp_path / "raw"))
    file = next(raw.rglob("*_D03_B02.bin"))
    data = file.read_bytes()
    file.write_bytes(data[: 2 * len(data) // 3 - 10])
    inputs = {"PDI_DS": raw, "ISP_LIST": raw}
    with pytest.raises(TruncatedInput, match=r"granule D03 G00\d: packet 1 of band B02 is cut: \d+ of \d+ bytes"):
        run_job("FORMAT_ISP", tmp_path / "job", inputs, ("PDI_GR_LIST", "ISP_INFOS"), PARALLEL_DETECTOR_IDENT="03")


def test_packets_of_another_granule_are_refused(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    raw = Path(shutil.copytree(chain.raw, tmp_path / "raw"))
    first, second = sorted(raw.rglob("*_D03_B05.bin"))
    first.write_bytes(second.read_bytes())
    inputs = {"PDI_DS": raw, "ISP_LIST": raw}
    with pytest.raises(InvalidInput, match=r"granule D03 G001: band B05: a packet is of"):
        run_job("FORMAT_ISP", tmp_path / "job", inputs, ("PDI_GR_LIST", "ISP_INFOS"), PARALLEL_DETECTOR_IDENT="03")


def test_several_datatakes_need_a_sensing_time(chain: Chain, tmp_path: Path) -> None:
    from ipf_adapters.reference.context import JobContext
    from s2ps.formats.job_order import JobOrder, JobOrderInput

    raw = Path(shutil.copytree(chain.raw, tmp_path / "raw"))
    item = one_pdi(raw, "MSI_L0U_DS")[0]
    other = raw / "DT02" / "DS" / item.name.replace("S20260701T101559", "S20260701T101659")
    shutil.copytree(item, other)
    inputs = (JobOrderInput("PDI_DS", "Directory", (raw,)),)
    with pytest.raises(InvalidInput, match="several datatakes"):
        raw_datastrip(JobContext.of(JobOrder("L0", "GSE", "1", {}, inputs)), "PDI_DS")
    times = {"sensing_start": "2026-07-01T10:16:59.000000Z", "sensing_stop": "2026-07-01T10:17:14.000000Z"}
    assert raw_datastrip(JobContext.of(JobOrder("L0", "GSE", "1", {}, inputs, **times)), "PDI_DS")[0] == other


def test_quicklook_is_the_mean_of_the_image(chain: Chain) -> None:
    folder = chain.job("ql_geo") / "QUICKLOOK_GEO"
    image, geometry = read_quicklook(folder, "D05_B03")
    take = mission().takes()[0]
    counts = np.vstack([counts_of(take, 5, scene, Band.B03) for scene in (1, 2)])
    step = geometry.decimation
    rows, cols = image.shape
    assert (rows * step, cols * step) == counts.shape
    expected = counts.reshape(rows, step, cols, step).mean(axis=(1, 3))
    np.testing.assert_allclose(image, expected, atol=1.01)
    assert len(list(folder.glob("*.npy"))) == 12 * len(QL_BANDS)


def test_reduction_by_a_broken_factor_takes_near_pixels() -> None:
    image = np.arange(10, dtype=np.uint16)[:, None] * np.ones((1, 6), dtype=np.uint16)
    reduced = reduce_image(image, 4, 3)
    np.testing.assert_array_equal(reduced[:, 0], [1, 3, 6, 8])


def test_consolidated_items_are_whole(chain: Chain) -> None:
    granules = pdis_in(chain.job("granules") / "PDI_DS_GR_LIST", "MSI_L0__GR")
    datastrip, _ = one_pdi(chain.job("datastrip") / "PDI_DS", "MSI_L0__DS")
    listed = read_pdi_metadata(metadata_file(datastrip))
    assert sorted(listed.granule_ids) == [path.name for path, _ in granules]
    for path, _ in [*granules, (datastrip, None)]:
        assert list(differences(path)) == []
    metadata = read_pdi_metadata(metadata_file(granules[7][0]))
    assert metadata.text("DATASTRIP_ID") == datastrip.name
    assert metadata.all("NB_OF_SOURCE_PACKETS") == ["1", "3", "3", "3", "3", "3", "3", "3", "3", "1", "1", "3", "3"]
    assert len(metadata.footprint()) == 5
    assert 20 < float(metadata.all("ZENITH_ANGLE")[1]) < 35
    assert len(listed.all("GIPP_FILENAME")) == 14
    assert len(list((datastrip / "QI_DATA").glob("*.jp2"))) == len(QL_BANDS)


def test_unpacking_loses_nothing(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    datastrip = chain.job("datastrip") / "PDI_DS"
    run_job("UNFORMAT_SAFE_DS", tmp_path / "ds", {"PDI_DS": datastrip}, ("PDI_DS", "PDI_SAD"))
    before, after = chain.job("init_loc") / "PDI_DS", tmp_path / "ds" / "PDI_DS"
    first, second = working.read_datastrip(before), working.read_datastrip(after)
    assert second.cloud_cover is not None
    assert first == replace(second, datastrip_id=first.datastrip_id, cloud_cover=None)
    for name in ("orbit_time", "position", "velocity", "attitude_time", "quaternion"):
        kept, unpacked = (getattr(working.read_ancillary(folder), name) for folder in (before, after))
        np.testing.assert_array_equal(kept, unpacked)

    granules = chain.job("granules") / "PDI_DS_GR_LIST"
    target = run_job("UNFORMAT_SAFE_GR", tmp_path / "gr", {"PDI_DS_GR_LIST": granules}, ("PDI_DS_GR_LIST",))
    isp = chain.job("format_isp") / "PDI_GR_LIST"
    for detector, scene, band in ((1, 1, Band.B02), (12, 2, Band.B10), (6, 1, Band.B8A)):
        unpacked = working.packets_path(target / "PDI_DS_GR_LIST", detector, scene, band)
        assert unpacked.read_bytes() == working.packets_path(isp, detector, scene, band).read_bytes()
        info = working.read_granule(target / "PDI_DS_GR_LIST", detector, scene)
        located = working.read_granule(chain.job("init_loc") / "PDI_DS_GR_LIST", detector, scene)
        assert abs((info.start - located.start).total_seconds()) < 2e-6
        assert abs((info.stop - located.stop).total_seconds()) < 2e-6
        np.testing.assert_allclose(info.footprint, located.footprint, atol=1e-8)
    assert len(list(target.rglob("*.isp"))) == 24 * len(BANDS)


def test_quicklooks_come_back_and_give_the_same_clouds(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    source = {"QUICKLOOK": chain.job("datastrip") / "PDI_DS"}
    for ident in ("B00", "B01", "B02-B03-B04-B05-B06-B07-B08-B09-B10-B11-B12"):
        run_job("QL_DECOMP", tmp_path / "ql", source, ("QUICKLOOK",), PARALLEL_BAND_IDENT=ident)
    again, first = tmp_path / "ql" / "QUICKLOOK", chain.job("clouds")
    for band in QL_BANDS:
        np.testing.assert_array_equal(
            read_quicklook(again, band.name)[0], read_quicklook(first / "QUICKLOOK_CM", band.name)[0]
        )
    assert (again / "B01_none.json").is_file()
    inputs = {"QUICKLOOK_GEO": again, "QUICKLOOK_CM": again, "PDI_DS": chain.job("init_loc") / "PDI_DS"}
    inputs |= chain.aux("GIP_R2ABCA", "GIP_CLOINV")
    made = run_job("QL_CLOUD_MASK", tmp_path / "cm", inputs, ("VECTOR", "QUICKLOOK_CM"))
    for name in ("clouds.geojson", "cloud_cover.json"):
        assert (made / "VECTOR" / name).read_bytes() == (first / "VECTOR" / name).read_bytes()


def test_missing_sad_is_told(chain: Chain, run_job: Run, tmp_path: Path) -> None:
    (tmp_path / "sad").mkdir()
    inputs = {"PDI_DS": chain.raw, "PDI_SAD": tmp_path / "sad"}
    with pytest.raises(MissingInput, match="0 ancillary data files"):
        run_job("INIT_LOC_L0", tmp_path / "job", inputs, ("PDI_DS", "PDI_DS_GR_LIST"))


def test_incomplete_datastrip_metadata_name_the_element(chain: Chain, tmp_path: Path) -> None:
    item = Path(shutil.copytree(one_pdi(chain.raw, "MSI_L0U_DS")[0], tmp_path / "item"))
    document = metadata_file(item)
    document.write_text(document.read_text().replace("LINE_PERIOD>", "OTHER>").replace("<LINE_PERIOD ", "<OTHER "))
    with pytest.raises(InvalidInput, match="LINE_PERIOD is missing"):
        read_datastrip_item(item)
