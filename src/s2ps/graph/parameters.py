"""How a job is told its part: the PARALLEL_* parameters of its job order (all values are text)."""

from __future__ import annotations

from collections.abc import Mapping

from s2ps.graph.partitions import Part
from s2ps.graph.space import ObservationSpace
from s2ps.model.dimensions import Dimension
from s2ps.processors.catalogue import Step

_IDENTS: dict[str, Dimension] = {
    "PARALLEL_DETECTOR_IDENT": Dimension.DETECTOR,
    "PARALLEL_ATF_DETECTOR_IDENT": Dimension.DETECTOR,
    "PARALLEL_BAND_IDENT": Dimension.BAND,
    "PARALLEL_BAND_QL_IDENT": Dimension.QL_BAND,
}
_RANGES: dict[str, int] = {
    "PARALLEL_ATF_BEGIN_GRANULE": 0,
    "PARALLEL_ATF_END_GRANULE": -1,
    "PARALLEL_GRANULE_BEGIN": 0,
    "PARALLEL_GRANULE_END": -1,
}
_FLAGS: dict[str, Dimension] = {
    "PARALLEL_DETECTOR": Dimension.DETECTOR,
    "PARALLEL_BAND": Dimension.BAND,
    "PARALLEL_BAND_QL": Dimension.QL_BAND,
    "PARALLEL_ATF": Dimension.ATF,
    "PARALLEL_GRANULE": Dimension.GRANULE,
    "PARALLEL_TILE": Dimension.TILE,
}
TILE_IDENT = "PARALLEL_TILE_IDENT"
PRODUCT_MODULO = "PARALLEL_PRODUCT_MODULO"
PRODUCT_REMAINDER = "PARALLEL_PRODUCT_REMAINDER"

_SCENES = (Dimension.ATF, Dimension.GRANULE)


def part_parameters(
    step: Step, parts: Mapping[Dimension, Part], product_parts: int, space: ObservationSpace
) -> dict[str, str]:
    """Return those part parameters the step declares; a dimension that is not cut is given whole.

    `parts` has the cut dimensions only. Granule numbers have three digits, count from 1, both ends included;
    tiles are given by their number in the tile list.
    """
    declared = step.spec.parameters
    values: dict[str, str] = {}
    for name, dimension in _IDENTS.items():
        if name in declared:
            values[name] = "-".join(parts.get(dimension, space.values(dimension)))
    scenes = _scenes_of(step, parts, space)
    for name, end in _RANGES.items():
        if name in declared and scenes:
            values[name] = scenes[end]
    for name, dimension in _FLAGS.items():
        if name in declared:
            values[name] = "true" if dimension in parts else "false"
    if TILE_IDENT in declared:
        tiles = parts.get(Dimension.TILE, space.tiles)
        values[TILE_IDENT] = "-".join(f"{space.tiles.index(tile) + 1:03d}" for tile in tiles)
    if Dimension.PRODUCT in step.spec.split:
        values[PRODUCT_MODULO] = str(product_parts)
        values[PRODUCT_REMAINDER] = str(int(parts.get(Dimension.PRODUCT, ("0",))[0]))
    return values


def _scenes_of(step: Step, parts: Mapping[Dimension, Part], space: ObservationSpace) -> Part:
    for dimension in _SCENES:
        if dimension in parts:
            return parts[dimension]
    return space.scenes(step.spec.granules_of == "gri")
