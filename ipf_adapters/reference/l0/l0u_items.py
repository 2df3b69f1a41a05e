"""Raw datastrip and granule items (L0U) of one datatake, its ancillary data and the telemetry of the session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ipf_adapters.reference.errors import MissingInput
from ipf_adapters.reference.l0.acquisition import Acquisition, nearest
from ipf_adapters.reference.l0.datastrip_document import add_quality, start_document
from ipf_adapters.reference.l0.granule_document import granule_document
from ipf_adapters.reference.l0.packet_files import GranulePackets, split_packets
from ipf_adapters.reference.l0.session import FETCH
from ipf_adapters.reference.pdi import new_pdi
from ipf_adapters.science.ancillary_packets import Ancillary, collect
from ipf_adapters.science.packets import Packet
from ipf_adapters.science.working import DatastripInfo
from s2ps.model.bands import BANDS, Band
from s2ps.model.mission import DETECTORS
from s2ps.model.names import PdiName
from s2ps.model.timestamps import compact

if TYPE_CHECKING:
    from ipf_adapters.reference.context import JobContext

RAW_BASELINE = "00.00"


@dataclass(slots=True)
class DatatakeWriter:
    """Write the items of one datatake below `folder` (DTnn), detector band by detector band."""

    folder: Path
    acquisition: Acquisition
    acquisitions: Sequence[Acquisition]
    """All datatakes of the session; packets belong to the one nearest in time."""
    ctx: JobContext
    counts: dict[tuple[int, int, Band], int] = field(default_factory=dict)
    """Packets by detector, scene and band."""

    @property
    def info(self) -> DatastripInfo:
        """The datastrip that this datatake becomes."""
        it, ctx = self.acquisition, self.ctx
        return DatastripInfo(
            unit=it.unit,
            datatake_id=it.datatake_id,
            datatake_type=it.datatake_type,
            datastrip_id=str(self._name("MSI_L0U_DS")),
            start=it.start,
            stop=it.stop,
            absolute_orbit=it.absolute_orbit,
            relative_orbit=it.relative_orbit,
            line_period_ms=it.line_period_ms,
            lines_per_granule=it.lines_per_granule,
            granules=it.scenes,
            scale=it.scale,
            reception_station=ctx.parameter("Acquisition_Station", "") or it.station,
        )

    def add_images(self, data: bytes, key: str) -> None:
        """Write the packets of one detector and band that belong to this datatake, one file per granule."""
        scenes: dict[int, GranulePackets] = {}
        for packet, part in split_packets(data, key):
            if packet.image is not None and self._is_mine(packet):
                scenes.setdefault(packet.image.granule, GranulePackets()).add(packet, part)
        for scene, found in sorted(scenes.items()):
            first = found.packets()[0].image
            if first is None:
                continue
            pdi = new_pdi(self._granules, self._granule_name(first.detector, scene))
            (pdi.folder("IMG_DATA") / pdi.file_name(f"_{first.band.name}.bin")).write_bytes(found.to_bytes())
            self.counts[first.detector, scene, first.band] = len(found.parts)

    def finish(self, ancillary: Sequence[tuple[Packet, bytes]], channels: Sequence[int]) -> None:
        """Check that every detector and band came, and write metadata, ancillary data and the datastrip."""
        self._check_complete(channels)
        mine = [(packet, data) for packet, data in ancillary if self._is_mine(packet)]
        own = [data for _, data in mine]
        sad = b"".join(dict.fromkeys(own))
        self._write_granules()
        self._write_datastrip(sad, collect(packet for packet, _ in mine))
        it = self.acquisition
        received = len({(detector, scene) for detector, scene, _ in self.counts})
        self.ctx.log.info(f"{it.datatake_id} {it.datatake_type}: {received} granules, {len(own)} ancillary packets")
        target = self.ctx.output_dir("SAD_FOLDER") / self.folder.name / f"{self._sad_name()}.bin"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(sad)

    @property
    def _granules(self) -> Path:
        return self.folder / "GR" / "DB1"

    def _is_mine(self, packet: Packet) -> bool:
        return self.acquisitions[nearest(self.acquisitions, packet.time)] is self.acquisition

    def _name(self, file_type: str) -> PdiName:
        it, ctx = self.acquisition, self.ctx
        return PdiName(it.unit, file_type, ctx.centre, ctx.creation, sensing_start=it.start, baseline=RAW_BASELINE)

    def _granule_name(self, detector: int, scene: int) -> PdiName:
        it, ctx = self.acquisition, self.ctx
        return PdiName(
            unit=it.unit,
            file_type="MSI_L0U_GR",
            site=ctx.centre,
            creation=ctx.creation,
            sensing_start=it.scene_start(scene),
            detector=detector,
            baseline=RAW_BASELINE,
        )

    def _sad_name(self) -> PdiName:
        it, ctx = self.acquisition, self.ctx
        return PdiName(
            unit=it.unit,
            file_type="AUX_SADATA",
            site=ctx.centre,
            creation=ctx.creation,
            validity=(it.start, it.stop),
            absolute_orbit=it.absolute_orbit,
            completeness="F",
            degradation="N",
        )

    def _check_complete(self, channels: Sequence[int]) -> None:
        received = {(detector, band) for detector, _, band in self.counts}
        absent = [f"D{det:02d} {band.name}" for det in DETECTORS for band in BANDS if (det, band) not in received]
        if absent:
            shown = f"{absent[0]} to {absent[-1]}" if len(absent) > 1 else absent[0]
            raise MissingInput(
                f"{self.acquisition.datatake_id}: no packet of {shown} ({len(absent)} of 156 detector bands): beside "
                f"channel {', '.join(map(str, channels))} one is missing or empty: {FETCH}"
            )

    def _write_granules(self) -> None:
        info = self.info
        for detector, scene in sorted({(detector, scene) for detector, scene, _ in self.counts}):
            name = self._granule_name(detector, scene)
            pdi = new_pdi(self._granules, name)
            counts = {band: self.counts.get((detector, scene, band), 0) for band in BANDS}
            expected = {band: self.acquisition.packets_per_granule(band) for band in BANDS}
            start = self.acquisition.scene_start(scene)
            pdi.write_metadata(granule_document(name, info, scene, start, counts, expected, self.ctx))
            pdi.finish()

    def _write_datastrip(self, sad: bytes, ancillary: Ancillary) -> None:
        info, name = self.info, self._name("MSI_L0U_DS")
        granules: dict[int, list[tuple[str, int]]] = {}
        for detector, scene in sorted({(detector, scene) for detector, scene, _ in self.counts}):
            position = (scene - 1) * info.lines_per_granule + 1
            granules.setdefault(detector, []).append((str(self._granule_name(detector, scene)), position))
        pdi = new_pdi(self.folder / "DS", name)
        (pdi.folder("ANC_DATA") / f"{self._sad_name()}.bin").write_bytes(sad)
        document = start_document(name, info, ancillary, granules, self.ctx)
        add_quality(document, None, self._degraded())
        pdi.write_metadata(document)
        pdi.finish()

    def _degraded(self) -> float:
        expected = sum(self.acquisition.packets_per_granule(band) for band in BANDS)
        total = expected * len(DETECTORS) * self.acquisition.scenes
        return max(0.0, 100.0 * (1.0 - sum(self.counts.values()) / total))


def write_telemetry(
    folder: Path, telemetry: Sequence[tuple[Packet, bytes]], acquisitions: Sequence[Acquisition], ctx: JobContext
) -> None:
    """Write the housekeeping telemetry of the session as one item, in order of time, each packet once."""
    first, last = acquisitions[0], acquisitions[-1]
    period = f"{compact(first.start)}_{compact(last.stop)}"
    item = folder / f"{first.unit}_OPER_PRD_HKTM___{period}_0001"
    item.mkdir(parents=True, exist_ok=True)
    ordered = sorted(telemetry, key=lambda pair: pair[0].time)
    (item / f"{item.name}.bin").write_bytes(b"".join(dict.fromkeys(data for _, data in ordered)))
    ctx.log.info(f"{len(ordered)} telemetry packets")
