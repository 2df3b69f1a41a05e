"""Files and folders of a staging that several users write into side by side.

The setgid bit of the staging's root folder says so: then everything below it belongs to the group of the root and may
be written by that group, whatever the umask. Without the bit the umask alone decides.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

FOLDER_BITS = stat.S_ISGID | stat.S_IRWXG
FILE_BITS = stat.S_IRGRP | stat.S_IWGRP


def is_shared(root: Path) -> bool:
    """Return True when a folder has the setgid bit; False when it is missing."""
    try:
        return bool(root.stat().st_mode & stat.S_ISGID)
    except FileNotFoundError:
        return False


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder and its missing parents; below a shared root they are shared too. Raises OSError."""
    if folder.is_dir():
        return
    if not is_shared(root):
        folder.mkdir(parents=True, exist_ok=True)
        return
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        try:
            path.mkdir()
        except FileExistsError:
            continue
        share(path)


def share(path: Path) -> None:
    """Let the group write one's own new file, or write and enter one's own new folder; not for links."""
    mode = path.stat().st_mode
    wanted = mode | (FOLDER_BITS if stat.S_ISDIR(mode) else FILE_BITS)
    if wanted != mode:
        path.chmod(stat.S_IMODE(wanted))


def share_tree(folder: Path) -> None:
    """Let the group write a folder of one's own and everything in it."""
    share(folder)
    for base, folders, names in os.walk(folder):
        for path in (Path(base, name) for name in (*folders, *names)):
            if not path.is_symlink():
                share(path)
