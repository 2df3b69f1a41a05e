"""Decompression: lost, cut, damaged and strayed packets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from unit.reference_l1.small_session import LINES, Session, granule_packets, write_parameters

from ipf_adapters.reference.errors import InvalidInput, MissingInput, TruncatedInput
from ipf_adapters.reference.l1a.decomp import read_coding, read_granule
from ipf_adapters.science import working
from s2ps.formats.gipp import DecompressionParameters
from s2ps.model.bands import Band

DETECTOR, SCENE = 3, 2
CODING = DecompressionParameters("CCSDS 121.0", 12, 7)
WIDTH = 64


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(8).integers(1, 4000, (LINES, WIDTH), dtype=np.uint16)


def read(folder: Path, session: Session, parts: list[bytes]) -> tuple[np.ndarray, np.ndarray, int]:
    path = working.packets_path(folder, DETECTOR, SCENE, Band.B02)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(parts))
    info = working.read_datastrip(session.root / "datastrip")
    found = read_granule(folder, info, DETECTOR, Band.B02, SCENE, CODING)
    return found.image, found.lost, found.read


def test_whole_granule(folder: Path, session: Session, image: np.ndarray) -> None:
    found, lost, count = read(folder, session, granule_packets(image, DETECTOR, Band.B02, SCENE))
    np.testing.assert_array_equal(found, image)
    assert not lost.any()
    assert count == 3


def test_missing_packet_becomes_zeros_told_as_lost(folder: Path, session: Session, image: np.ndarray) -> None:
    parts = granule_packets(image, DETECTOR, Band.B02, SCENE)
    found, lost, count = read(folder, session, [parts[0], parts[2]])
    np.testing.assert_array_equal(found[:16], image[:16])
    np.testing.assert_array_equal(found[32:], image[32:])
    assert (found[16:32] == CODING.missing_value).all()
    np.testing.assert_array_equal(np.flatnonzero(lost), np.arange(16, 32))
    assert count == 2


def test_other_codings_are_refused(folder: Path, session: Session, image: np.ndarray) -> None:
    path = write_parameters(folder, DecompressionParameters("CCSDS 122.0", 12, 0))
    with pytest.raises(InvalidInput, match=r"GIP_DECOMP.*'CCSDS 122.0': DECOMP knows 'CCSDS 121.0'"):
        read_coding(path)
    working.packets_path(folder, DETECTOR, SCENE, Band.B02).parent.mkdir(parents=True)
    packet = granule_packets(image, DETECTOR, Band.B02, SCENE)[0]
    working.packets_path(folder, DETECTOR, SCENE, Band.B02).write_bytes(packet)
    info = working.read_datastrip(session.root / "datastrip")
    with_twelve = read_granule(folder, info, DETECTOR, Band.B02, SCENE, CODING).image[:16]
    np.testing.assert_array_equal(with_twelve, image[:16])
    with pytest.raises(InvalidInput, match="packet 0 of band B02: compressed image lines"):
        read_granule(folder, info, DETECTOR, Band.B02, SCENE, replace(CODING, bits=7))


def test_no_packet_at_all(folder: Path, session: Session) -> None:
    found, lost, count = read(folder, session, [])
    assert found.shape == (LINES, WIDTH)
    assert lost.all()
    assert count == 0


def test_cut_packet_stops_the_job(folder: Path, session: Session, image: np.ndarray) -> None:
    parts = granule_packets(image, DETECTOR, Band.B02, SCENE)
    with pytest.raises(TruncatedInput) as caught:
        read(folder, session, [*parts[:2], parts[2][:112]])
    length = len(parts[2])
    expected = f"granule D03 G002: packet 2 of band B02 is cut: 112 of {length} bytes: fetch the session again"
    assert str(caught.value) == expected
    assert caught.value.exit_code == 133


def test_damaged_packet_stops_the_job(folder: Path, session: Session, image: np.ndarray) -> None:
    parts = granule_packets(image, DETECTOR, Band.B02, SCENE)
    damaged = bytearray(parts[1])
    damaged[60] ^= 1
    with pytest.raises(InvalidInput, match=r"D03 G002: packet 1 of band B02: .*wrong checksum"):
        read(folder, session, [parts[0], bytes(damaged), parts[2]])


@pytest.mark.parametrize(("detector", "band", "scene"), [(4, Band.B02, 2), (3, Band.B03, 2), (3, Band.B02, 1)])
def test_strayed_packet_is_refused(
    folder: Path, session: Session, image: np.ndarray, detector: int, band: Band, scene: int
) -> None:
    with pytest.raises(InvalidInput, match="belongs to"):
        read(folder, session, granule_packets(image, detector, band, scene))


def test_lines_beyond_the_granule_are_refused(folder: Path, session: Session, image: np.ndarray) -> None:
    longer = np.vstack([image, image[:16]])
    with pytest.raises(InvalidInput, match="ends at line 63 of 48"):
        read(folder, session, granule_packets(longer, DETECTOR, Band.B02, SCENE))


def test_absent_file_is_named(folder: Path, session: Session) -> None:
    info = working.read_datastrip(session.root / "datastrip")
    with pytest.raises(MissingInput, match=r"B02\.isp is missing"):
        read_granule(folder, info, DETECTOR, Band.B02, SCENE, CODING)


def test_lost_lines_reach_the_masks_and_the_images(folder: Path, session: Session, image: np.ndarray) -> None:
    parts = granule_packets(image, DETECTOR, Band.B02, SCENE)
    path = working.packets_path(folder, DETECTOR, SCENE, Band.B02)
    path.parent.mkdir(parents=True)
    path.write_bytes(parts[0] + parts[2])
    part = {
        "PARALLEL_ATF_BEGIN_GRANULE": "002",
        "PARALLEL_ATF_END_GRANULE": "002",
        "PARALLEL_ATF_DETECTOR_IDENT": "03",
        "PARALLEL_BAND_IDENT": "B01",
    }
    strip = session.root / "datastrip"
    outputs = ("PDI_ATF_LIST", "PDI_DS_GR_LIST", "VECTOR")
    session.run("DECOMP", {"PDI_DS": strip, "PDI_GR_LIST": folder}, outputs, part, "lossy")
    lossy = {kind: session.folder("lossy", kind) for kind in ("PDI_ATF_LIST", "VECTOR")}
    session.run("RADIO_AB", {"PDI_DS": strip} | lossy, ("PDI_GR_LIST", "PDI_ATF_LIST", "VECTOR"), part, "lossy-ab")
    mask = np.load(session.folder("lossy-ab", "VECTOR") / "D03_B02_G002_quality.npy")
    counts = np.load(session.folder("lossy-ab", "PDI_ATF_LIST") / "D03_B02_G002.npy")
    assert ((mask[16:32] & working.LOST) != 0).all()
    assert not (mask[:16] & working.LOST).any()
    assert not counts[16:32].any()
    assert counts[:16].any()
