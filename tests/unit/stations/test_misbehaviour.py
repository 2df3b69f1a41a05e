"""What goes wrong on demand, before any protocol."""

from __future__ import annotations

import pytest

from s2ps.model.errors import ConfigurationError
from s2ps.stations.content import BytesContent
from s2ps.stations.misbehaviour import ConnectionCut, Faults, Misbehaviour

pytestmark = pytest.mark.unit
CONTENT = BytesContent(bytes(range(200)))


def test_texts_of_the_command_line() -> None:
    found = Misbehaviour.parse(["status-every=3", "no_ranges", "clock_offset=-60.5"])
    assert (found.status_every, found.no_ranges, found.clock_offset) == (3, True, -60.5)
    with pytest.raises(ConfigurationError, match="status_every"):
        Misbehaviour.parse(["status_every=-1"])


def test_every_nth_request_of_its_kind_is_refused() -> None:
    faults = Faults(Misbehaviour(status_every=3, status=500, status_on="download"))
    assert [faults.refusal("download") for _ in range(6)] == [None, None, 500, None, None, 500]
    assert {faults.refusal("listing") for _ in range(6)} == {None}


def test_only_every_nth_download_is_cut() -> None:
    faults = Faults(Misbehaviour(cut_after=50, cut_every=2))
    assert faults.reader(CONTENT, 200).read() == CONTENT.data
    reader = faults.reader(CONTENT, 200)
    reader.seek(100)
    assert reader.read(1000) == CONTENT.data[100:150]
    with pytest.raises(ConnectionCut, match="50 bytes"):
        reader.read()


def test_a_download_that_ends_where_it_would_be_cut_is_whole() -> None:
    reader = Faults(Misbehaviour(cut_after=200)).reader(CONTENT, 200)
    assert reader.read() == CONTENT.data
    assert reader.read() == b""


def test_a_slow_download_gives_a_quarter_second_at_a_time() -> None:
    reader = Faults(Misbehaviour(rate=40)).reader(CONTENT, 200, sleeps=False)
    assert [len(reader.read()) for _ in range(3)] == [10, 10, 10]


def test_a_growing_file_ends_where_it_is_seen_to_end() -> None:
    reader = Faults(Misbehaviour(corrupt_every=1)).reader(CONTENT, 20)
    data = reader.read()
    assert len(data) == 20
    assert data[0] == CONTENT.data[0] ^ 0xFF
    assert data[1:] == CONTENT.data[1:20]
