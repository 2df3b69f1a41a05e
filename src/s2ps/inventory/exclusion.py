"""What one process or thread at a time may do to a thing with a name."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from s2ps.inventory.database import SQLITE
from s2ps.inventory.store import Inventory

_FILES = 64


@contextmanager
def exclusive(inventory: Inventory, name: str) -> Iterator[None]:
    """Hold a name for everybody who uses this inventory; wait for whoever holds it. It ends with its holder.

    PostgreSQL: an advisory lock of a transaction of its own. SQLite: the lock of a file beside the inventory, which is
    on one machine. Two names may share a file, so never ask for a second name inside.
    """
    if inventory.url.get_backend_name() != SQLITE:
        with inventory.engine.connect() as connection, connection.begin():
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
            yield
        return
    folder = inventory.path.with_name(f".{inventory.path.name}.locks")
    folder.mkdir(exist_ok=True)
    number = hashlib.sha256(name.encode()).digest()[0] % _FILES
    descriptor = os.open(folder / f"{number:02d}", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
