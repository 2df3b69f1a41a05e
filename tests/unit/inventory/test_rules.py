"""Selection rules against small cases worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.inventory.rules import MEANINGS, AuxiliaryFile, Rule, choose

DAY = datetime(2026, 7, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return DAY + timedelta(hours=hour)


def file(name: str, start: float, stop: float, created: float = 0) -> AuxiliaryFile:
    return AuxiliaryFile(Path("/aux") / name, "GIP_DATATI", "S2B", at(created - 1000), at(start), at(stop))


# The window is 10 h to 12 h.
FILES = (
    file("wide_old", 0, 24, created=1),
    file("wide_new", 2, 30, created=5),
    file("exact", 10, 12, created=2),
    file("centred", 9, 13.1, created=3),
    file("inside", 10.5, 11.4, created=9),
    file("left", 5, 10.5, created=8),
    file("most", 10.2, 20, created=4),
    file("before", 1, 9.9, created=10),
    file("after", 12.1, 20, created=11),
)


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        (Rule.VAL_COVER, ["centred", "exact", "wide_new", "wide_old"]),
        (Rule.LATEST_VAL_COVER, ["wide_new"]),
        (Rule.VAL_INTERSECT, ["centred", "exact", "inside", "left", "most", "wide_new", "wide_old"]),
        (Rule.LATEST_VAL_INTERSECT, ["inside"]),
        (Rule.LATEST_VALIDITY_CLOSEST, ["inside"]),
        (Rule.BEST_CENTERED_COVER, ["exact"]),
        (Rule.LATEST_VAL_COVER_CLOSEST, ["exact"]),
        (Rule.LARGEST_OVERLAP, ["wide_new"]),
        (Rule.LARGEST_OVERLAP_85, ["wide_new"]),
        (Rule.LATEST_VALIDITY, ["after"]),
        (Rule.LATEST_VAL_COVER_NEWEST_VALIDITY, ["exact"]),
    ],
)
def test_rule_takes(rule: Rule, chosen: list[str]) -> None:
    assert [file.path.name for file in choose(rule, FILES, at(10), at(12))] == chosen
    assert [file.path.name for file in choose(rule, FILES[::-1], at(10), at(12))] == chosen


@pytest.mark.parametrize("rule", list(Rule))
def test_nothing_comes_from_nothing_and_every_rule_has_a_meaning(rule: Rule) -> None:
    assert choose(rule, (), at(10), at(12)) == ()
    assert MEANINGS[rule]


def test_limits_of_validity_belong_to_it() -> None:
    touching = (file("ends", 5, 10), file("begins", 12, 20))
    assert len(choose(Rule.VAL_INTERSECT, touching, at(10), at(12))) == 2
    assert choose(Rule.VAL_COVER, (file("exact", 10, 12),), at(10), at(12))
    assert not choose(Rule.VAL_COVER, (file("short", 10.001, 12),), at(10), at(12))


@pytest.mark.parametrize(("stop", "fits"), [(11.69, False), (11.70, True)])
def test_85_percent_is_a_limit(stop: float, fits: bool) -> None:
    assert bool(choose(Rule.LARGEST_OVERLAP_85, (file("part", 9, stop),), at(10), at(12))) is fits


def test_equal_files_are_told_apart_by_creation_then_name() -> None:
    pair = (file("b", 0, 24, created=1), file("a", 0, 24, created=2))
    assert choose(Rule.LARGEST_OVERLAP, pair, at(10), at(12))[0].path.name == "a"
    twins = (file("a", 0, 24, created=1), file("b", 0, 24, created=1))
    assert choose(Rule.LATEST_VAL_COVER, twins, at(10), at(12))[0].path.name == "b"


def test_window_of_one_moment() -> None:
    assert choose(Rule.LARGEST_OVERLAP_85, FILES, at(11), at(11))
    assert choose(Rule.LATEST_VAL_COVER, FILES, at(11), at(11))[0].path.name == "inside"
