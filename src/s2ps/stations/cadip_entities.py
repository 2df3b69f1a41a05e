"""The entities of a CADIP: sessions, files and quality information, made from what is published now.

Source: CADU Interface delivery Point, entities Session, File and QualityInfo.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from s2ps.stations.misbehaviour import Faults
from s2ps.stations.pickup import PickupPoint, Published
from s2ps.stations.timeline import RETRANSFER

KEPT = timedelta(days=7)
"""How long files stay at a station."""
_FRAMES = 1024
"""Bytes of a frame."""
_SESSIONS = UUID("0d8f7f43-62f4-44f4-a4de-8a80c2d2a0b1")

Row = dict[str, Any]


class CadipEntities:
    """The rows of the entity sets; sessions in the area of retransfers are sessions of their own."""

    def __init__(self, pickup: PickupPoint, faults: Faults) -> None:
        self.pickup, self.faults = pickup, faults

    def published(self) -> list[Published]:
        """Return the published DSDB files; DSIBs are not delivered at a CADIP."""
        return [file for file in self.pickup.published() if file.part is not None and file.part.block is not None]

    def files(self) -> list[Row]:
        """Return the rows of Files."""
        return [self._file(file) for file in self.published()]

    def _file(self, file: Published) -> Row:
        published = self.faults.date(file.published)
        part = _part(file)
        return {
            "Id": file.id,
            "Name": file.name,
            "SessionId": part.session,
            "Channel": part.channel,
            "BlockNumber": part.block,
            "FinalBlock": part.final,
            "PublicationDate": published,
            "EvictionDate": published + KEPT,
            "Size": self.faults.told_size(file.size),
            "Retransfer": file.area == RETRANSFER,
        }

    def sessions(self) -> list[Row]:
        """Return the rows of Sessions."""
        groups: dict[tuple[str, bool], list[Published]] = defaultdict(list)
        for file in self.published():
            groups[_part(file).session, file.area == RETRANSFER].append(file)
        return [self._session(name, again, files) for (name, again), files in groups.items()]

    def _session(self, name: str, again: bool, files: list[Published]) -> Row:
        part = _part(files[0])
        channels = {file.part.channel for file in self.pickup.files if file.part and file.part.session == name}
        start, stop = self.faults.date(part.start), self.faults.date(part.stop)
        return {
            "Id": session_id(name, again),
            "SessionId": name,
            "NumChannels": len(channels),
            "PublicationDate": self.faults.date(min(file.published for file in files)),
            "Satellite": part.satellite,
            "StationUnitId": part.station_unit,
            "DownlinkOrbit": int(name[-6:]) if name[-6:].isdigit() else 0,
            "AcquisitionId": name,
            "AntennaId": "ANT1",
            "FrontEndId": "FE1",
            "Retransfer": again,
            "AntennaStatusOK": True,
            "FrontEndStatusOK": True,
            "PlannedDataStart": start,
            "PlannedDataStop": stop,
            "DownlinkStart": start,
            "DownlinkStop": stop,
            "DownlinkStatusOK": True,
            "DeliveryPushOK": True,
        }

    def quality(self) -> list[Row]:
        """Return the rows of QualityInfo: one per channel, when all of it has been delivered."""
        groups: dict[tuple[str, int], list[Published]] = defaultdict(list)
        for file in self.published():
            groups[_part(file).session, _part(file).channel].append(file)
        return [self._quality(*key, files) for key, files in groups.items() if self.pickup.whole(*key)]

    def _quality(self, session: str, channel: int, files: list[Published]) -> Row:
        dates = [self.faults.date(file.published) for file in files]
        sizes = [
            file.content.size
            for file in self.pickup.files
            if file.part
            and (file.part.session, file.part.channel) == (session, channel)
            and file.part.block is not None
        ]
        frames = sum(sizes) // _FRAMES
        counts = {"AcquiredTFs": frames, "ErrorTFs": 0, "CorrectedTFs": 0, "UncorrectableTFs": 0}
        data = {"DataTFs": frames, "ErrorDataTFs": 0, "CorrectedDataTFs": 0, "UncorrectableDataTFs": 0}
        return {
            "Channel": channel,
            "SessionId": session,
            **counts,
            **data,
            "DeliveryStart": min(dates),
            "DeliveryStop": max(dates),
            "TotalChunks": len(sizes) + self.faults.behaviour.wrong_totals,
            "TotalVolume": sum(sizes),
        }


def session_id(name: str, again: bool) -> UUID:
    """Return the identifier of a session; that of its retransfer is another one."""
    return uuid5(_SESSIONS, f"{name} {again}")


def _part(file: Published) -> Any:
    return file.part
