"""What FORMAT_ISP found in the packets: `D01_G001-G004_isp_infos.json` per detector and range of scenes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.science.records import RecordError, dump_record, load_record
from ipf_adapters.science.working import DatastripInfo


@dataclass(frozen=True)
class BandPackets:
    """Packets of one granule and band; times are GPS seconds."""

    packets: int
    expected: int
    bytes: int
    duplicates: int = 0
    time_errors: int = 0
    """Packets whose time does not fit their line."""
    start: float | None = None
    stop: float | None = None


@dataclass(frozen=True)
class GranuleIsp:
    """Packets of one granule by band name."""

    detector: int
    scene: int
    bands: dict[str, BandPackets]


@dataclass(frozen=True)
class IspInfos:
    """Packets of the granules of one detector in one range of scenes, and the datastrip they belong to."""

    datastrip: DatastripInfo
    granules: tuple[GranuleIsp, ...]


def write_isp_infos(folder: Path, infos: IspInfos) -> None:
    """Write the findings of one detector."""
    first, last = infos.granules[0], infos.granules[-1]
    name = f"D{first.detector:02d}_G{first.scene:03d}-G{last.scene:03d}_isp_infos.json"
    (folder / name).write_text(dump_record(infos, indent=1) + "\n")


def read_isp_infos(folder: Path) -> tuple[DatastripInfo, dict[tuple[int, int], GranuleIsp]]:
    """Read all findings in a folder: the datastrip and the granules by (detector, scene)."""
    found = sorted(folder.glob("*_isp_infos.json"))
    if not found:
        raise MissingInput(f"{folder} has no *_isp_infos.json: run FORMAT_ISP again")
    granules: dict[tuple[int, int], GranuleIsp] = {}
    try:
        documents = [load_record(IspInfos, path.read_bytes()) for path in found]
    except RecordError as error:
        raise InvalidInput(f"{folder}: {error}: run FORMAT_ISP again") from error
    for document in documents:
        granules |= {(granule.detector, granule.scene): granule for granule in document.granules}
    return documents[0].datastrip, dict(sorted(granules.items()))
