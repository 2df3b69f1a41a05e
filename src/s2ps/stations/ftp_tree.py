"""The tree of a pick-up point as the file system of an FTP server; nothing can be written."""

from __future__ import annotations

import os
import stat
from typing import Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from s2ps.stations.misbehaviour import ConnectionCut, Faults, Reader
from s2ps.stations.pickup import PickupPoint, Published
from s2ps.stations.tree import Folder, tree_of


class Cut(Exception):
    """A transfer ends here, without its last bytes."""


class FtpReader:
    """A published file as pyftpdlib reads it."""

    def __init__(self, reader: Reader, name: str) -> None:
        self.reader, self.name, self.closed = reader, name, False

    def read(self, length: int = -1) -> bytes:
        """Return the next bytes."""
        try:
            return self.reader.read(length)
        except ConnectionCut as error:
            raise Cut(str(error)) from error

    def seek(self, offset: int) -> int:
        """Go to a byte."""
        return self.reader.seek(offset)

    def close(self) -> None:
        """Note that nothing more is read."""
        self.closed = True


class PickupFiles(AbstractedFS):  # type: ignore[misc]
    """What an FTP session sees; paths of the client are paths of the tree."""

    pickup: PickupPoint
    faults: Faults
    folders: str

    def _nodes(self) -> dict[str, Folder | Published]:
        found: dict[str, Folder | Published] = {"/": tree_of(self.pickup.published(), self.folders)}
        waiting = ["/"]
        while waiting:
            path = waiting.pop()
            node = found[path]
            if isinstance(node, Folder):
                below = {os.path.join(path, name): member for name, member in node.members.items()}  # noqa: PTH118
                found.update(below)
                waiting += below
        return found

    def _node(self, path: str) -> Folder | Published:
        node = self._nodes().get(path)
        if node is None:
            raise FilesystemError("No such file or directory")
        return node

    def realpath(self, path: str) -> str:
        """Return the path itself; there are no links."""
        return path

    def chdir(self, path: str) -> None:
        """Change the folder."""
        if not self.isdir(path):
            raise FilesystemError("No such directory")
        self.cwd = path

    def listdir(self, path: str) -> list[str]:
        """Return the names in a folder."""
        node = self._node(path)
        if not isinstance(node, Folder):
            raise FilesystemError("Not a directory")
        return list(node.members)

    def isdir(self, path: str) -> bool:
        """Return True for a folder."""
        return isinstance(self._nodes().get(path), Folder)

    def isfile(self, path: str) -> bool:
        """Return True for a file."""
        return isinstance(self._nodes().get(path), Published)

    def islink(self, path: str) -> bool:
        """Return False."""
        return False

    def lexists(self, path: str) -> bool:
        """Return True for what is there."""
        return path in self._nodes()

    def getsize(self, path: str) -> int:
        """Return the size that is told."""
        return int(self.stat(path).st_size)

    def getmtime(self, path: str) -> float:
        """Return when it was published."""
        return float(self.stat(path).st_mtime)

    def stat(self, path: str) -> os.stat_result:
        """Return size and date of publication, as listings tell them."""
        node = self._node(path)
        date = node.changed if isinstance(node, Folder) else node.published
        moment = int(self.faults.date(date).timestamp()) if date else 0
        size = self.faults.told_size(node.size) if isinstance(node, Published) else 0
        mode = stat.S_IFDIR | 0o555 if isinstance(node, Folder) else stat.S_IFREG | 0o444
        return os.stat_result((mode, hash(path), 0, 1, 0, 0, size, moment, moment, moment))

    lstat = stat

    def get_user_by_uid(self, uid: int) -> str:
        """Return the owner of everything."""
        return "station"

    get_group_by_gid = get_user_by_uid

    def open(self, filename: str, mode: str) -> Any:
        """Open a file for a download."""
        node = self._node(filename)
        if mode != "rb" or not isinstance(node, Published):
            raise FilesystemError("Not a file that can be read")
        return FtpReader(self.faults.reader(node.content, node.size, sleeps=False), filename)
