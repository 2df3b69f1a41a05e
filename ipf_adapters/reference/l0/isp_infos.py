"""What FORMAT_ISP found in the packets: `D01_G001-G004_isp_infos.json` per detector and range of scenes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ipf_adapters.reference.errors import InvalidInput, MissingInput
from ipf_adapters.science.working import DatastripInfo


class BandPackets(BaseModel):
    """Packets of one granule and band; times are GPS seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    packets: int
    expected: int
    bytes: int
    duplicates: int = 0
    time_errors: int = 0
    """Packets whose time does not fit their line."""
    start: float | None = None
    stop: float | None = None


class GranuleIsp(BaseModel):
    """Packets of one granule by band name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    detector: int
    scene: int
    bands: dict[str, BandPackets]


class IspInfos(BaseModel):
    """Packets of the granules of one detector in one range of scenes, and the datastrip they belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datastrip: DatastripInfo
    granules: tuple[GranuleIsp, ...]


def write_isp_infos(folder: Path, infos: IspInfos) -> None:
    """Write the findings of one detector."""
    first, last = infos.granules[0], infos.granules[-1]
    name = f"D{first.detector:02d}_G{first.scene:03d}-G{last.scene:03d}_isp_infos.json"
    (folder / name).write_text(infos.model_dump_json(indent=1) + "\n")


def read_isp_infos(folder: Path) -> tuple[DatastripInfo, dict[tuple[int, int], GranuleIsp]]:
    """Read all findings in a folder: the datastrip and the granules by (detector, scene)."""
    found = sorted(folder.glob("*_isp_infos.json"))
    if not found:
        raise MissingInput(f"{folder} has no *_isp_infos.json: run FORMAT_ISP again")
    granules: dict[tuple[int, int], GranuleIsp] = {}
    try:
        documents = [IspInfos.model_validate_json(path.read_bytes()) for path in found]
    except ValidationError as error:
        raise InvalidInput(f"{folder}: {error}: run FORMAT_ISP again") from error
    for document in documents:
        granules |= {(granule.detector, granule.scene): granule for granule in document.granules}
    return documents[0].datastrip, dict(sorted(granules.items()))
