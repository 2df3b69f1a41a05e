"""The checks that GIP_OLQCPA can ask for; each looks at one item and returns what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ipf_adapters.reference.quality.item import Item
from s2ps.formats.manifest import MANIFEST, checksum_of, read_manifest
from s2ps.formats.manifest_units import ManifestEntry
from s2ps.formats.pdi_metadata import root_name
from s2ps.model.bands import BANDS
from s2ps.model.errors import InputError

SATURATION_LIMIT = 20.0
"""Percent of saturated pixels from which a product is not good."""
RESIDUAL_LIMIT = 30.0
"""Metres of refining residuals from which a datastrip is not well located."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one check."""

    passed: bool
    message: str


Check = Callable[[Item, float], Finding]


def inspect(item: Item, check: str, degraded_limit: float) -> Finding:
    """Run one check; a document that cannot be read fails it. Raises KeyError for an unknown check."""
    run = CHECKS[check]
    try:
        return run(item, degraded_limit)
    except InputError as error:
        return Finding(False, str(error))
    except ValueError as error:
        return Finding(False, f"a value of {item.path.name} cannot be read: {error}")


def metadata_readable(item: Item, limit: float) -> Finding:
    """The metadata file is there, is XML and has the root of its type."""
    found, expected = item.metadata.root_name, root_name(item.name.file_type)
    return Finding(found == expected, f"root is {found}, expected {expected}")


def names_consistent(item: Item, limit: float) -> Finding:
    """The metadata tell the item's own name, and image files are named after the item or its tile."""
    wrong = [] if item.metadata.item_id == str(item.name) else [f"metadata tell {item.metadata.item_id}"]
    prefixes = (item.stem, f"T{item.name.tile}_", f"L2A_T{item.name.tile}_")
    for path in item.files:
        if "IMG_DATA" in path.relative_to(item.path).parts and not path.name.startswith(prefixes):
            wrong.append(f"image {path.name}")
    return _finding(wrong, "all names belong to the item")


def all_files_present(item: Item, limit: float) -> Finding:
    """Every file of the manifest exists with its size, and granules and tiles have an image of every band."""
    wrong = [text for entry in _entries(item) if (text := _absence(item, entry))]
    if item.kind in ("GR", "TL"):
        wrong += [f"no image of {name}" for name in _bands_without_image(item)]
    return _finding(wrong, f"{len(_entries(item))} files are present")


def checksums(item: Item, limit: float) -> Finding:
    """Every file of the manifest has its checksum."""
    wrong = []
    for entry in _entries(item):
        path = item.path / entry.path
        if path.is_file() and checksum_of(path, entry.algorithm) != entry.checksum:
            wrong.append(f"{entry.path} differs from its {entry.algorithm} checksum")
    return _finding(wrong, f"{len(_entries(item))} checksums agree")


def degraded_data_percentage(item: Item, limit: float) -> Finding:
    """Not more than the allowed share of the data is degraded."""
    return _below(item, ("DEGRADED_MSI_DATA_PERCENTAGE",), limit, "% degraded")


def lost_packets(item: Item, limit: float) -> Finding:
    """Granules at L0 have packets of every band; elsewhere lost packets show as degraded data."""
    counts = item.metadata.all("NB_OF_SOURCE_PACKETS")
    if not counts:
        return degraded_data_percentage(item, limit)
    empty = [band.name for band, count in zip(BANDS, counts, strict=False) if int(count) == 0]
    return _finding([f"no packet of {name}" for name in empty], f"{sum(map(int, counts))} packets")


def saturated_pixels(item: Item, limit: float) -> Finding:
    """Not too many pixels are saturated, where the metadata tell."""
    return _below(item, ("SATURATED_PIXEL_PERCENTAGE", "SATURATED_DEFECTIVE_PIXEL_PERCENTAGE"), SATURATION_LIMIT, "%")


def footprint_valid(item: Item, limit: float) -> Finding:
    """The footprint, where there is one, is a closed ring on the globe that encloses an area."""
    ring = item.metadata.footprint()
    if not ring:
        return Finding(True, "the metadata have no footprint")
    wrong = [] if ring[0] == ring[-1] else ["it is not closed"]
    wrong += [] if len(ring) >= 4 else [f"it has {len(ring)} points"]
    wrong += [] if all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in ring) else ["it leaves the globe"]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) / 2
    wrong += [] if abs(area) > 0 else ["it encloses nothing"]
    return _finding([f"footprint: {text}" for text in wrong], f"footprint of {len(ring)} points")


def residuals(item: Item, limit: float) -> Finding:
    """Residuals of the refining, where the metadata tell them, are small."""
    return _below(item, ("RMS_AFTER", "RMS", "RESIDUALS_RMS", "PLANIMETRIC_RMS"), RESIDUAL_LIMIT, "m")


def mean_within_limits(item: Item, limit: float) -> Finding:
    """Physical gains of all bands, where the metadata tell them, are positive."""
    gains = item.metadata.all("PHYSICAL_GAINS")
    wrong = [f"physical gain {text}" for text in gains if not float(text) > 0]
    return _finding(wrong, f"{len(gains)} physical gains are positive" if gains else "the metadata tell no gains")


def equalised(item: Item, limit: float) -> Finding:
    """Every parameter file used is named, where the metadata list them."""
    listed = item.metadata.all("GIPP_FILENAME")
    return _finding(["a parameter file without name"] if "" in listed else [], f"{len(listed)} parameter files")


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        metadata_readable,
        names_consistent,
        all_files_present,
        checksums,
        degraded_data_percentage,
        lost_packets,
        saturated_pixels,
        footprint_valid,
        residuals,
        mean_within_limits,
        equalised,
    )
}


def _finding(wrong: list[str], good: str) -> Finding:
    if not wrong:
        return Finding(True, good)
    more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Finding(False, "; ".join(wrong[:_SHOWN]) + more)


def _below(item: Item, tags: tuple[str, ...], limit: float, unit: str) -> Finding:
    values = [float(text) for tag in tags for text in item.metadata.all(tag) if text]
    if not values:
        return Finding(True, f"the metadata do not tell {tags[0]}")
    worst = max(values)
    return Finding(worst <= limit, f"{tags[0]} {worst:.3f} {unit}, limit {limit:g}")


def _entries(item: Item) -> list[ManifestEntry]:
    return read_manifest(item.path / MANIFEST)


def _absence(item: Item, entry: ManifestEntry) -> str | None:
    path = item.path / entry.path
    if ".." in path.relative_to(item.path).parts:
        return f"{entry.path} lies outside the item"
    if not path.is_file():
        return f"{entry.path} is absent"
    size = path.stat().st_size
    return None if size == entry.size else f"{entry.path} has {size} bytes, the manifest says {entry.size}"


def _bands_without_image(item: Item) -> Iterator[str]:
    images = [path.name for path in item.files if "IMG_DATA" in path.relative_to(item.path).parts]
    for band in BANDS:
        not_at_l2a = item.name.level == "L2A" and band.name == "B10"
        if not not_at_l2a and not any(f"_{band.name}." in name or f"_{band.name}_" in name for name in images):
            yield band.name
