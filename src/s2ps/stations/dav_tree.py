"""The tree of a pick-up point as WebDAV resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wsgidav.dav_provider import DAVCollection, DAVNonCollection, DAVProvider

from s2ps.stations.misbehaviour import Faults, Reader
from s2ps.stations.pickup import PickupPoint, Published
from s2ps.stations.tree import Folder, tree_of


class PublishedFile(DAVNonCollection):  # type: ignore[misc]
    """One file of the station."""

    def __init__(self, path: str, environ: dict[str, Any], entry: Published, faults: Faults) -> None:
        super().__init__(path, environ)
        self.entry, self.faults = entry, faults

    def get_content_length(self) -> int:
        """Return the size; listings may tell a wrong one on demand."""
        listed = self.environ["REQUEST_METHOD"] == "PROPFIND"
        return self.faults.told_size(self.entry.size) if listed else self.entry.size

    def get_content_type(self) -> str:
        """Return the type of all files."""
        return "application/octet-stream"

    def get_last_modified(self) -> float:
        """Return when it was published, in seconds since 1970."""
        return self.faults.date(self.entry.published).timestamp()

    def get_etag(self) -> None:
        """Return none, as stations do."""

    def support_etag(self) -> bool:
        """Return False."""
        return False

    def support_ranges(self) -> bool:
        """Return True unless it shall not."""
        return not self.faults.behaviour.no_ranges

    def get_content(self) -> Reader:
        """Return what is read for a download."""
        return self.faults.reader(self.entry.content, self.entry.size)


class PublishedFolder(DAVCollection):  # type: ignore[misc]
    """One folder of the station."""

    def __init__(self, path: str, environ: dict[str, Any], folder: Folder, faults: Faults) -> None:
        super().__init__(path, environ)
        self.folder, self.faults = folder, faults

    def get_last_modified(self) -> float | None:
        """Return when something was last published in it, in seconds since 1970."""
        changed = self.folder.changed
        return None if changed is None else self.faults.date(changed).timestamp()

    def get_member_names(self) -> list[str]:
        """Return the names of what is in it."""
        return list(self.folder.members)

    def get_member(self, name: str) -> PublishedFile | PublishedFolder:
        """Return one of them."""
        path = f"{self.path.rstrip('/')}/{name}"
        return resource(path, self.environ, self.folder.members[name], self.faults)


def resource(
    path: str, environ: dict[str, Any], node: Folder | Published, faults: Faults
) -> PublishedFile | PublishedFolder:
    """Return the resource of a node of the tree."""
    kind: Any = PublishedFolder if isinstance(node, Folder) else PublishedFile
    found: PublishedFile | PublishedFolder = kind(path, environ, node, faults)
    return found


class PickupProvider(DAVProvider):  # type: ignore[misc]
    """Finds resources by their path; nothing can be written."""

    def __init__(self, pickup: PickupPoint, faults: Faults, folders: str) -> None:
        super().__init__()
        self.pickup, self.faults, self.folders = pickup, faults, folders
        self._tree: tuple[tuple[Published, ...], Folder] = ((), tree_of((), folders))

    def is_readonly(self) -> bool:
        """Return True."""
        return True

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> PublishedFile | PublishedFolder | None:
        """Return the resource at a path, None when nothing is published there now."""
        published = self.pickup.published()
        if self._tree[0] is not published:
            self._tree = (published, tree_of(published, self.folders))
        node: Folder | Published = self._tree[1]
        for name in filter(None, path.split("/")):
            members: Mapping[str, Folder | Published] = node.members if isinstance(node, Folder) else {}
            if name not in members:
                return None
            node = members[name]
        return resource(path, environ, node, self.faults)
