"""The pick-up point as a tree: NOMINAL and RETRANSFER, below them the folders of the sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from s2ps.stations.pickup import Published
from s2ps.stations.timeline import NOMINAL, RETRANSFER


@dataclass(slots=True)
class Folder:
    """A folder with its folders and files; `changed` is when the newest file in or below it appeared."""

    members: dict[str, Folder | Published] = field(default_factory=dict)
    changed: datetime | None = None


def tree_of(published: tuple[Published, ...], folders: str) -> Folder:
    """Return the tree of what is published; `folders` says where the files of a session lie, see StationSettings."""
    root = Folder({NOMINAL: Folder(), RETRANSFER: Folder()})
    for entry in published:
        node = root
        for part in (entry.area, *_folders(entry, folders)):
            node = _below(node, part)
            node.changed = max(node.changed or entry.published, entry.published)
        node.members[entry.name] = entry
    return root


def _below(node: Folder, name: str) -> Folder:
    found = node.members.get(name)
    if not isinstance(found, Folder):
        found = node.members[name] = Folder()
    return found


def _folders(entry: Published, folders: str) -> list[str]:
    part = entry.part
    if part is None:
        return []
    where = folders.format(
        satellite=part.satellite, session=part.session, station_unit=part.station_unit, channel=part.channel
    )
    return [name for name in where.split("/") if name]
