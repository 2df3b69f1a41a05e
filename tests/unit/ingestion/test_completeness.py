"""A session is complete when nothing is missing: not one file earlier, and not later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2ps.ingestion.completeness import Block, ChannelList, SessionView, missing
from s2ps.ingestion.listing import Totals
from s2ps.model.names import SessionFileName

pytestmark = pytest.mark.unit

SESSION = "S2A_20241114143038056552"
CHUNK = 314_571_600


def block(channel: int, number: int, *, last: int | None = None, size: int = CHUNK, lacking: str = "") -> Block:
    name = str(SessionFileName("04", SESSION, channel, number))
    return Block(name, channel, number, size, None if last is None else number == last, lacking)


def channel_list(channel: int, last: int, size: int = CHUNK) -> ChannelList:
    return ChannelList(tuple(block(channel, n).name for n in range(1, last + 1)), last * size)


def first_complete(blocks: Sequence[Block], view: SessionView) -> int:
    """Return after how many files the session is complete; -1 when it never is."""
    for count in range(len(blocks) + 1):
        if not missing(replace(view, blocks=tuple(blocks[:count]))):
            return count
    return -1


def test_final_block_before_the_one_in_front_of_it() -> None:
    """A real session: channel 2 published block 19, the final one, 66 ms before block 18, and block 12 before 11."""
    order = [(1, n) for n in range(1, 20)]
    second = [*range(1, 11), 12, 11, *range(13, 18), 19, 18]
    order = [pair for n, one in enumerate(order) for pair in (one, (2, second[n]))]
    blocks = [block(channel, number, last=19) for channel, number in order]
    totals = (Totals(1, 19, 19 * CHUNK), Totals(2, 19, 19 * CHUNK))
    assert first_complete(blocks, SessionView((), channels=2)) == 38
    assert first_complete(blocks, SessionView((), channels=2, totals=totals)) == 38
    assert missing(SessionView(tuple(blocks[:-1]), channels=2)) == ("channel 2: block 18 (not published)",)


@given(st.data())
def test_any_order_of_arrival(data: st.DataObject) -> None:
    lasts = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    blocks = [block(c, n, last=last) for c, last in enumerate(lasts, 1) for n in range(1, last + 1)]
    order = data.draw(st.permutations(blocks))
    told = data.draw(st.booleans())
    totals = tuple(Totals(c, last, last * CHUNK) for c, last in enumerate(lasts, 1)) if told else ()
    view = SessionView((), channels=len(lasts), totals=totals)
    assert first_complete(order, view) == len(blocks)


@given(st.data())
def test_any_order_with_a_list_that_comes_anywhen(data: st.DataObject) -> None:
    lasts = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=4))
    items: list[Block | int] = [block(c, n) for c, last in enumerate(lasts, 1) for n in range(1, last + 1)]
    items = data.draw(st.permutations([*items, *range(1, len(lasts) + 1)]))
    for count in range(len(items) + 1):
        here = items[:count]
        dsibs = {c: channel_list(c, lasts[c - 1]) for c in here if isinstance(c, int)}
        view = SessionView(tuple(b for b in here if isinstance(b, Block)), dsibs, channels=len(lasts))
        assert bool(missing(view)) == (count < len(items))


@given(st.data())
def test_a_file_that_is_growing_empty_or_refused_is_missing_by_name(data: st.DataObject) -> None:
    last = data.draw(st.integers(1, 9))
    odd = data.draw(st.integers(1, last))
    why = data.draw(st.sampled_from(["empty at the station", "on its way", "refused: malware"]))
    blocks = tuple(block(1, n, last=last, lacking=why if n == odd else "") for n in range(1, last + 1))
    assert missing(SessionView(blocks, channels=1)) == (f"channel 1: block {odd} ({why})",)


def test_every_channel_the_station_tells_is_waited_for() -> None:
    one = tuple(block(1, n, last=2) for n in (1, 2))
    assert missing(SessionView(one, channels=1)) == ()
    assert missing(SessionView(one, channels=4)) == tuple(f"channel {n}: all files" for n in (2, 3, 4))
    assert missing(SessionView((), channels=None)) == ("all files",)


def test_a_channel_more_than_told_is_waited_for_as_well() -> None:
    blocks = (block(1, 1, last=1), block(2, 1, last=2))
    assert missing(SessionView(blocks, channels=1)) == ("channel 2: the final block",)


def test_blocks_behind_the_final_one_show_that_it_was_not() -> None:
    blocks = tuple(block(1, n, last=2) for n in (1, 2, 3))
    (lack,) = missing(SessionView(blocks, channels=1))
    assert "block 3 lies behind the final block 2" in lack


@pytest.mark.parametrize(
    ("totals", "told"),
    [
        (Totals(1, 3, 2 * CHUNK), "2 blocks, quality information counts 3"),
        (Totals(1, 1, 2 * CHUNK), "2 blocks, quality information counts 1"),
        (Totals(1, 2, 2 * CHUNK + 1), f"blocks of {2 * CHUNK} bytes, quality information counts {2 * CHUNK + 1}"),
    ],
)
def test_quality_information_that_does_not_agree(totals: Totals, told: str) -> None:
    view = SessionView(tuple(block(1, n, last=2) for n in (1, 2)), channels=1, totals=(totals,))
    assert [told in lack for lack in missing(view)] == [True]


def test_quality_information_may_be_waited_for() -> None:
    view = SessionView((block(1, 1, last=1),), channels=1, totals_required=True)
    assert missing(view) == ("channel 1: quality information",)
    assert missing(replace(view, totals=(Totals(1, 1, CHUNK),))) == ()


@pytest.mark.parametrize(
    ("listed", "lack"),
    [
        (ChannelList(lacking="on its way"), "DSIB (on its way)"),
        (channel_list(1, 3), "block 3 (not published, the DSIB lists it)"),
        (channel_list(1, 1), "DSIB that lists block 2"),
        (replace(channel_list(1, 2), data_size=2 * CHUNK + 9), "9 bytes"),
        (ChannelList(), "DSIB with a list"),
        (ChannelList((block(1, 2).name,), CHUNK), "block 1 in the DSIB (its list has a gap)"),
    ],
)
def test_what_a_dsib_demands(listed: ChannelList, lack: str) -> None:
    view = SessionView(tuple(block(1, n) for n in (1, 2)), {1: listed}, channels=1)
    assert any(lack in text for text in missing(view))


def test_without_dsib_and_final_flags_the_dsib_is_missing() -> None:
    assert missing(SessionView((block(1, 1),), channels=1)) == ("channel 1: DSIB",)


def test_a_list_and_a_final_block_must_both_be_satisfied() -> None:
    blocks = tuple(block(1, n, last=3) for n in (1, 2))
    assert missing(SessionView(blocks, {1: channel_list(1, 2)}, channels=1)) == ()
    early = (*blocks, block(1, 3, last=3))
    lacks = missing(SessionView(early, {1: channel_list(1, 2)}, channels=1))
    assert any("DSIB that lists block 3" in lack for lack in lacks)


def test_many_missing_blocks_are_told_as_ranges() -> None:
    blocks = tuple(block(1, n, last=20) for n in (1, 3, 4, 20))
    assert missing(SessionView(blocks, channels=1)) == ("channel 1: blocks 2, 5-19 (not published)",)
