from pathlib import Path

import numpy as np
import pytest

from s2ps.formats.cadu import CADU_SIZE, DATA_SIZE, SYNC, Deframer, Framer, read_packets


def _packet(size: int, number: int, apid: int = 0x123) -> bytes:
    body = np.random.default_rng(number).bytes(size - 6)
    return (
        (0x0800 | apid).to_bytes(2, "big") + (0xC000 | number).to_bytes(2, "big") + (size - 7).to_bytes(2, "big") + body
    )


def _downlink(sizes: list[int]) -> tuple[list[bytes], bytes]:
    packets = [_packet(size, number) for number, size in enumerate(sizes)]
    framer = Framer(42, 1)
    data = b"".join(map(framer.add, packets))
    fill = -framer.open_bytes % DATA_SIZE
    return packets, data + (framer.add(_packet(fill + DATA_SIZE, 0, 0x7FF)) if fill else b"")


def _sizes(count: int, seed: int = 1) -> list[int]:
    return [int(size) for size in np.random.default_rng(seed).integers(7, 5000, count)]


@pytest.mark.parametrize("piece", [CADU_SIZE, 777, 100_000])
def test_packets_come_back_in_pieces_of_any_size(piece: int) -> None:
    packets, data = _downlink([*_sizes(60), DATA_SIZE, DATA_SIZE, 7, 65542])
    assert len(data) % CADU_SIZE == 0
    assert data.startswith(SYNC)
    deframer, received = Deframer(), []
    for offset in range(0, len(data), piece):
        received += deframer.feed(data[offset : offset + piece], "x.raw", offset)
    deframer.finish("x.raw", len(data))
    assert received == packets
    assert (deframer.errors, deframer.frames, deframer.lost_frames) == ([], len(data) // CADU_SIZE, 0)


def test_a_lost_frame_costs_its_packets_and_is_reported_where_it_is_missing() -> None:
    packets, data = _downlink(_sizes(60))
    lost = 20
    cut = data[: lost * CADU_SIZE] + data[(lost + 1) * CADU_SIZE :]
    deframer = Deframer()
    received = deframer.feed(cut, "x.raw")
    assert deframer.lost_frames == 1
    assert [(error.reason, error.offset) for error in deframer.errors] == [("gap", lost * CADU_SIZE)]
    missing = [number for number, packet in enumerate(packets) if packet not in received]
    assert [packet for packet in packets if packet in received] == received
    first = sum(len(packet) for packet in packets[: missing[0]])
    last = sum(len(packet) for packet in packets[: missing[-1] + 1])
    assert first < (lost + 1) * DATA_SIZE
    assert last > lost * DATA_SIZE
    assert missing == list(range(missing[0], missing[-1] + 1))


def test_a_flipped_bit_drops_one_frame() -> None:
    packets, data = _downlink(_sizes(40))
    damaged = bytearray(data)
    damaged[5 * CADU_SIZE + 500] ^= 1
    deframer = Deframer()
    received = deframer.feed(bytes(damaged), "x.raw")
    assert [error.reason for error in deframer.errors] == ["crc", "gap"]
    assert deframer.errors[0].offset == 5 * CADU_SIZE
    assert set(received) < set(packets)
    assert len(received) >= len(packets) - 4


def test_bytes_between_frames_are_skipped_and_a_cut_end_is_told() -> None:
    packets, data = _downlink(_sizes(30))
    deframer = Deframer()
    stream = b"noise" + data[: 7 * CADU_SIZE] + b"\0" * 33 + data[7 * CADU_SIZE :] + SYNC + b"\1" * 9
    received = deframer.feed(stream, "x.raw")
    deframer.finish("x.raw", len(stream))
    assert received == packets
    assert [(error.reason, error.offset) for error in deframer.errors] == [
        ("sync", 0), ("sync", 5 + 7 * CADU_SIZE), ("cut", len(stream) - 13),
    ]  # fmt: skip


def test_a_stream_cut_in_a_packet_is_told(tmp_path: Path) -> None:
    packets, data = _downlink([3000, 3000, 3000])
    file = tmp_path / "b.raw"
    file.write_bytes(data[: 4 * CADU_SIZE])
    deframer = Deframer()
    assert list(read_packets([file], deframer)) == packets[:1]
    assert [(error.reason, error.source) for error in deframer.errors] == [("packet", "b.raw")]
    assert "b.raw" in str(deframer.errors[0])


def test_files_of_a_channel_are_one_stream(tmp_path: Path) -> None:
    packets, data = _downlink(_sizes(50))
    middle = 10 * CADU_SIZE + 300
    files = [tmp_path / "1.raw", tmp_path / "2.raw"]
    files[0].write_bytes(data[:middle])
    files[1].write_bytes(data[middle:])
    deframer = Deframer()
    assert list(read_packets(files, deframer)) == packets
    assert deframer.errors == []
