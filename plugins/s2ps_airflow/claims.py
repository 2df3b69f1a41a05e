"""A datatake is produced by one run at a time: who holds it is written in a small file."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

ACTIVE = frozenset({"queued", "running"})


@dataclass(frozen=True, slots=True)
class Claim:
    """The run that produces a datatake."""

    dag_id: str
    run_id: str


def claim(folder: Path, datatake: str, mine: Claim, state_of: Callable[[Claim], str | None]) -> Claim | None:
    """Take a datatake for a run; return None on success, else the active run that holds it.

    A claim of a run that is over (or unknown) is taken over. Two runs that ask at the same moment are told apart by
    an exclusive link.
    """
    path = _path(folder, datatake)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        holder = holder_of(folder, datatake)
        if holder is not None and holder != mine and state_of(holder) in ACTIVE:
            return holder
        if holder == mine:
            return None
        if holder is not None:
            _withdraw(path, holder)
        if _create(path, mine):
            return None


def holder_of(folder: Path, datatake: str) -> Claim | None:
    """Return the run that took a datatake last; None when there is none."""
    try:
        return Claim(**json.loads(_path(folder, datatake).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _path(folder: Path, datatake: str) -> Path:
    return folder / f"{datatake}.json"


def _create(path: Path, mine: Claim) -> bool:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".claim-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(asdict(mine), stream)
    try:
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def _withdraw(path: Path, expected: Claim) -> None:
    """Remove a claim that is over, unless another run has replaced it in the meantime."""
    aside = path.with_name(f".{path.stem}-{os.getpid()}.old")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    taken = Claim(**json.loads(aside.read_text(encoding="utf-8")))
    if taken != expected:
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink()
