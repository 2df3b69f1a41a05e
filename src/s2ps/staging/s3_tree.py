"""The commit marker of a tree in S3: which files, links and folders it has, and where their objects are.

A tree is named by its content: a second upload of the same tree finds the objects of the first one. The marker is
written last, so a tree is seen whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from s2ps.model.errors import InputError, StagingError
from s2ps.staging.checksum import sha256_of
from s2ps.staging.keys import checked


class TreeFile(BaseModel):
    """One file of a tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    size: int
    sha256: str
    mtime_ns: int
    pack: str = ""
    """Object in which it lies together with others (see `s3_pack`); empty: in one of its own."""
    offset: int = 0

    _path = field_validator("path")(checked)


class TreeLink(BaseModel):
    """One link of a tree to a file or folder elsewhere in the staging: it is stored as a link."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: str
    target: str
    folder: bool
    size: int

    _path = field_validator("path", "target")(checked)


class Tree(BaseModel):
    """A committed tree, or one that is going to be."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1, 2] = 2
    """1: before there were packs."""
    key: str
    id: str
    """Made of the content; names the place of the objects."""
    files: tuple[TreeFile, ...]
    links: tuple[TreeLink, ...] = ()
    folders: tuple[str, ...] = ()
    """Empty folders."""
    writer: str = ""
    """Tells two writers of the same content from each other."""

    @classmethod
    def load(cls, key: str, body: bytes) -> Self:
        """Read the marker of a tree; raise StagingError when it is not one."""
        try:
            return cls.model_validate_json(body)
        except (ValidationError, InputError) as error:
            raise StagingError(
                f"the commit marker of {key} cannot be read",
                expected="a marker written by this version of S2PS",
                next_step="delete the tree and make it again",
            ) from error

    def dump(self) -> bytes:
        """Return the marker."""
        return self.model_dump_json().encode()


def scan(folder: Path, key: str, writer: str, linked: Callable[[Path], str | None]) -> Tree:
    """Describe a local folder.

    `linked` gives the staging key of a link's target, None when it is elsewhere: then the file it leads to is taken.
    """
    files: list[TreeFile] = []
    links: list[TreeLink] = []
    empty: list[str] = []
    for base, folders, names in os.walk(folder):
        if not folders and not names and Path(base) != folder:
            empty.append(_relative(folder, Path(base)))
        for path in (Path(base, name) for name in sorted([*names, *folders])):
            is_link = path.is_symlink()
            target = linked(path) if is_link else None
            if target is not None:
                size = 0 if path.is_dir() else path.stat().st_size
                links.append(TreeLink(path=_relative(folder, path), target=target, folder=path.is_dir(), size=size))
            elif is_link or not path.is_dir():
                files.append(_file(folder, path))
    files.sort(key=lambda item: item.path)
    links.sort(key=lambda item: item.path)
    empty.sort()
    return Tree(
        key=key,
        id=_identity(key, files, links, empty),
        files=tuple(files),
        links=tuple(links),
        folders=tuple(empty),
        writer=writer,
    )


def _identity(key: str, files: list[TreeFile], links: list[TreeLink], empty: list[str]) -> str:
    digest = hashlib.sha256(f"{key}\n".encode())
    for item in files:
        digest.update(f"file\0{item.path}\0{item.size}\0{item.sha256}\n".encode())
    for link in links:
        digest.update(f"link\0{link.path}\0{link.target}\n".encode())
    for path in empty:
        digest.update(f"folder\0{path}\n".encode())
    return digest.hexdigest()[:32]


def _file(folder: Path, path: Path) -> TreeFile:
    name = _relative(folder, path)
    if not path.is_file():
        raise InputError(
            f"{path} cannot be put into the staging",
            expected="files, folders, and links to files",
            next_step="remove it, or write a file in its place",
        )
    status = path.stat()
    return TreeFile(path=name, size=status.st_size, sha256=sha256_of(path), mtime_ns=status.st_mtime_ns)


def _relative(folder: Path, path: Path) -> str:
    name = path.relative_to(folder).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{name!r} in {folder} is not UTF-8", next_step="rename the file") from error
    return checked(name)
