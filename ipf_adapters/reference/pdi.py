"""Make and find product data items: what the FORMAT_* processors of all levels share.

A processor calls `pdi = new_pdi(ctx.output_dir("PDI_DS"), name)`, fills `pdi.path`, writes its metadata with
`pdi.write_metadata(document)` and ends with `pdi.finish()`, which writes manifest.safe over everything in the folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import InvalidInput
from s2ps.formats.manifest import write_manifest
from s2ps.formats.pdi_metadata import MetadataDocument, Node, PdiMetadata
from s2ps.model.errors import InputError
from s2ps.model.mission import spacecraft_name
from s2ps.model.names import DatatakeName, PdiName

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext
    from ipf_adapters.science.ancillary_packets import Ancillary
    from ipf_adapters.science.working import DatastripInfo

PARAMETERS = "PROCESSING_SPECIFIC_PARAMETERS"
"""What PDI metadata have no element for (scale, lines per granule, datatake of a granule), as NAME=value words."""
Ring = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class Pdi:
    """A product data item that is being made in folder `path`."""

    path: Path
    name: PdiName

    def folder(self, relative: str) -> Path:
        """Return a sub-folder such as "IMG_DATA", made if needed."""
        path = self.path / relative
        path.mkdir(parents=True, exist_ok=True)
        return path

    def file_name(self, tail: str) -> str:
        """Return the name of a file of this item: the item's name without baseline, plus a tail such as "_B02.jp2"."""
        return str(self.name).removesuffix(f"_N{self.name.baseline}") + tail

    def take(self, source: Path, relative: str) -> Path:
        """Copy a file into the item at a relative path and return its new path."""
        target = self.path / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return target

    def write_metadata(self, document: MetadataDocument) -> Path:
        """Write the metadata file under the name that belongs to this item."""
        target = self.path / self.name.metadata_name
        target.write_bytes(document.to_bytes())
        return target

    def finish(self) -> Path:
        """Write manifest.safe over all files of the item and return the item's folder."""
        write_manifest(self.path, self.name.file_type)
        return self.path


def new_pdi(parent: Path, name: PdiName) -> Pdi:
    """Make the empty folder of an item in `parent`."""
    path = parent / str(name)
    path.mkdir(parents=True, exist_ok=True)
    return Pdi(path, name)


def new_document(name: PdiName) -> MetadataDocument:
    """Start the metadata document of an item, with the root of its type."""
    return MetadataDocument(name.file_type)


def add_datastrip_info(general: Node, info: DatastripInfo, ancillary: Ancillary, ctx: JobContext) -> None:
    """Append Datatake_Info, Datastrip_Time_Info, Processing_Info, Downlink_Info and Archiving_Info of a datastrip."""
    datatake = general.child("Datatake_Info", datatakeIdentifier=info.datatake_id)
    datatake.add("SPACECRAFT_NAME", spacecraft_name(info.unit)).add("DATATAKE_TYPE", info.datatake_type)
    datatake.add("DATATAKE_SENSING_START", DatatakeName.parse(info.datatake_id).start)
    datatake.add("SENSING_ORBIT_NUMBER", info.relative_orbit)
    datatake.add("SENSING_ORBIT_DIRECTION", ancillary.orbit_direction)
    times = general.child("Datastrip_Time_Info")
    times.add("DATASTRIP_SENSING_START", info.start).add("DATASTRIP_SENSING_STOP", info.stop)
    processing = general.child("Processing_Info").add("UTC_DATE_TIME", ctx.creation)
    processing.add("PROCESSING_CENTER", ctx.centre).add("PROCESSING_BASELINE", ctx.baseline)
    downlink = general.child("Downlink_Info").add("RECEPTION_STATION", info.reception_station)
    downlink.add("DOWNLINK_ORBIT_NUMBER", info.absolute_orbit)
    archiving = general.child("Archiving_Info").add("ARCHIVING_CENTRE", ctx.centre)
    archiving.add("ARCHIVING_TIME", ctx.creation)


def add_specific_parameters(general: Node, info: DatastripInfo) -> None:
    """Append Processing_Specific_Parameters to the General_Info of an item of a datastrip."""
    words = (
        "DATABLOCK=DB1",
        f"SCALE={info.scale}",
        f"LINES_PER_GRANULE={info.lines_per_granule}",
        f"RELATIVE_ORBIT={info.relative_orbit:03d}",
        f"LINE_PERIOD_MS={info.line_period_ms!r}",
        f"DATATAKE={info.datatake_id}",
    )
    general.child("Processing_Specific_Parameters").add(PARAMETERS, " ".join(words))


def read_parameters(metadata: PdiMetadata) -> dict[str, str]:
    """Return the words of PROCESSING_SPECIFIC_PARAMETERS by name."""
    words = (metadata.first(PARAMETERS) or "").split()
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def add_footprint(parent: Node, ring: Ring, *, flat: bool = False) -> None:
    """Append Footprint/EXT_POS_LIST of a closed ring of (lon, lat[, height]); `flat` leaves the heights out."""
    words: list[str] = []
    for point in ring:
        words += [f"{point[1]:.9f}", f"{point[0]:.9f}"]
        if not flat:
            words.append(f"{point[2] if len(point) > 2 else 0.0:.3f}")
    parent.child("Footprint").add("EXT_POS_LIST", " ".join(words))


def pdis_in(folder: Path, file_type: str | None = None) -> list[tuple[Path, PdiName]]:
    """Return the items in a folder, or the folder itself if it is one, sorted by name.

    `file_type` ("MSI_L0__GR") keeps one type only. Fused folders (symbolic links) are followed, five levels deep.
    """
    found = sorted(_search(folder, 5), key=lambda pair: pair[0].name)
    return [(path, name) for path, name in found if file_type is None or name.file_type == file_type]


def _search(folder: Path, depth: int) -> Iterator[tuple[Path, PdiName]]:
    name = _name_of(folder)
    if name is not None and any(folder.glob("*.xml")):
        yield folder, name
    elif depth:
        for child in folder.iterdir():
            if child.is_dir():
                yield from _search(child, depth - 1)


def _name_of(folder: Path) -> PdiName | None:
    try:
        name = PdiName.parse(folder.name)
    except InputError:
        return None
    return name if name.file_type.startswith("MSI_") else None


def one_pdi(folder: Path, file_type: str) -> tuple[Path, PdiName]:
    """Return the one item of a type in a folder; raises InvalidInput when there is none or more than one."""
    found = pdis_in(folder, file_type)
    if len(found) != 1:
        raise InvalidInput(
            f"{folder}: expected one item of type {file_type}, found {len(found)}: stage the input again"
        )
    return found[0]
