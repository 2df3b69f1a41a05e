"""Packets and codec: what is written is read, and damage is located exactly."""

from __future__ import annotations

import numpy as np
import pytest

from ipf_adapters.science import ancillary_packets, codec, packets
from ipf_adapters.science.packets import ImagePart, Kind, Packet
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

TIME = 1466936177.123456


def image_packet(sequence: int = 5, size: int = 100) -> Packet:
    part = ImagePart(12, Band.B12, 3, 14, 224, 16, 259)
    return Packet(Kind.IMAGE, sequence, TIME, bytes(range(size)), part)


def test_image_packet_round_trip() -> None:
    data = packets.pack(image_packet())
    assert len(data) == packets.OVERHEAD + 100
    back, after = packets.unpack(data)
    assert after == len(data)
    assert back.image == image_packet().image
    assert back.payload == image_packet().payload
    assert back.sequence == 5
    assert back.time == pytest.approx(TIME, abs=6e-8)


def test_primary_header_is_ccsds() -> None:
    data = packets.pack(image_packet(sequence=9))
    word, count, length = (int.from_bytes(data[i : i + 2], "big") for i in (0, 2, 4))
    assert (word >> 13, word >> 12 & 1, word >> 11 & 1, word & 0x7FF) == (0, 0, 1, 0x100 + 12 * 16 + 12)
    assert (count >> 14, count & 0x3FFF) == (3, 9)
    assert length == len(data) - 7


def test_largest_packet() -> None:
    packet = Packet(Kind.TELEMETRY, 0, TIME, bytes(packets.MAXIMUM_PAYLOAD))
    assert packets.unpack(packets.pack(packet))[0].payload == packet.payload
    with pytest.raises(InputError, match="payload of 65511"):
        packets.pack(Packet(Kind.TELEMETRY, 0, TIME, bytes(packets.MAXIMUM_PAYLOAD + 1)))


def test_iteration_skips_idle_packets() -> None:
    idle = Packet(Kind.IDLE, 0, TIME, b"\x55" * 20)
    data = packets.pack(image_packet(0)) + packets.pack(idle) + packets.pack(image_packet(1))
    assert [packet.sequence for _, packet in packets.iterate(data)] == [0, 1]
    assert len(list(packets.iterate(data, idle=True))) == 3


@pytest.mark.parametrize("present", [3, 60])
def test_cut_packet_is_located(present: int) -> None:
    whole = packets.pack(image_packet(0))
    with pytest.raises(packets.CutPacket) as caught:
        list(packets.iterate(whole + whole[:present], source="B12.isp"))
    assert (caught.value.offset, caught.value.present) == (len(whole), present)
    assert f"B12.isp: the packet at byte {len(whole)} is cut: {present} of" in str(caught.value)


@pytest.mark.parametrize("position", [0, 1, 20, 40, 131])
def test_corrupted_byte_is_noticed(position: int) -> None:
    whole = packets.pack(image_packet(0))
    damaged = bytearray(whole + whole)
    damaged[len(whole) + position] ^= 0x41
    with pytest.raises(packets.PacketError) as caught:
        list(packets.iterate(damaged))
    assert caught.value.offset == len(whole)


def test_sequence_counts() -> None:
    counter = packets.SequenceCounter()
    assert [counter.take(1), counter.take(1), counter.take(2)] == [0, 1, 0]


def test_every_image_stream_has_its_apid() -> None:
    apids = {packets.image_apid(detector, band) for detector in range(1, 13) for band in Band}
    assert len(apids) == 156
    assert {packets.kind_of(apid) for apid in apids} == {Kind.IMAGE}
    assert packets.kind_of(0x100) is None
    assert packets.kind_of(0x7FF) is Kind.IDLE


def test_ancillary_data_round_trip() -> None:
    rng = np.random.default_rng(3)
    position, quaternion = rng.normal(size=(3, 6)) * 7e6, rng.normal(size=(4, 4))
    made = [
        Packet(Kind.ORBIT_STATE, i, TIME + i, ancillary_packets.orbit_payload(row[:3], row[3:]))
        for i, row in enumerate(position)
    ] + [
        Packet(Kind.ATTITUDE, i, TIME + i / 8, ancillary_packets.attitude_payload(row))
        for i, row in enumerate(quaternion)
    ]
    ancillary = ancillary_packets.collect(packets.unpack(packets.pack(packet))[0] for packet in [*made[::-1], made[0]])
    np.testing.assert_array_equal(ancillary.position, position[:, :3])
    np.testing.assert_array_equal(ancillary.velocity, position[:, 3:])
    np.testing.assert_array_equal(ancillary.quaternion, quaternion)
    np.testing.assert_allclose(ancillary.attitude_time, TIME + np.arange(4) / 8, atol=2e-7, rtol=0)
    with pytest.raises(InputError, match="1 orbit states"):
        ancillary_packets.collect(made[:1])


def test_configuration_round_trip() -> None:
    values = {"datatake": "GS2B_20260701T101559_042345_N05.11", "scale": 10}
    packet = Packet(Kind.CONFIGURATION, 0, TIME, ancillary_packets.configuration_payload(values))
    assert ancillary_packets.read_configuration(packet) == values


def test_codec_is_lossless_and_compresses() -> None:
    rng = np.random.default_rng(4)
    smooth = (1500 + np.cumsum(rng.normal(0, 6, (16, 259)), axis=1)).clip(0, 4095).astype(np.uint16)
    noise = rng.integers(0, 4096, (8, 129), dtype=np.uint16)
    extremes = np.tile(np.array([0, 4095], dtype=np.uint16), (8, 20))
    for image in (smooth, noise, extremes, smooth[:1, :7]):
        np.testing.assert_array_equal(codec.decompress(codec.compress(image), *image.shape), image)
    assert len(codec.compress(smooth)) < 0.5 * smooth.nbytes


def test_codec_names_bad_data() -> None:
    image = np.full((4, 50), 4096, dtype=np.uint16)
    with pytest.raises(InputError, match="4096"):
        codec.compress(image)
    rng = np.random.default_rng(5)
    data = codec.compress(rng.integers(0, 4096, (8, 129), dtype=np.uint16))
    with pytest.raises(InputError, match="8 lines of 129"):
        codec.decompress(data[: len(data) // 2], 8, 129)
