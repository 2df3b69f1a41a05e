"""The observed space."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import Dimension


def test_values_of_every_dimension() -> None:
    space = ObservationSpace(granules=3, tiles=("32TPQ",), gri_granules=2)
    assert space.values(Dimension.ATF) == space.values(Dimension.GRANULE) == ("001", "002", "003")
    assert space.values(Dimension.GRANULE, of_gri=True) == ("001", "002")
    assert space.values(Dimension.DETECTOR)[-1] == "12"
    assert space.values(Dimension.BAND)[0] == "B00"
    assert space.values(Dimension.QL_BAND) == ("B01", "B02", "B03", "B10", "B11")
    assert space.values(Dimension.TILE) == ("32TPQ",)
    assert space.values(Dimension.PRODUCT) == ()
    assert space.products == 36


def test_without_a_gri_count_there_are_as_many_as_scenes() -> None:
    assert len(ObservationSpace(granules=3).scenes(of_gri=True)) == 3


@pytest.mark.parametrize("wrong", [{"tiles": ("32TPQ", "32TPQ")}, {"granules": -1}, {"granules": 1000}, {"scenes": 3}])
def test_wrong_spaces_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ObservationSpace.model_validate(wrong)
