"""What a session brought: its files and the datastrips found in it."""

from __future__ import annotations

from collections.abc import Iterable

from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, select

from s2ps.inventory.geometry import intersects
from s2ps.inventory.records import DatastripRecord, ProductRecord, SessionFileRecord
from s2ps.inventory.schema import DATASTRIPS, PRODUCTS, SESSION_FILES
from s2ps.inventory.statements import put, read
from s2ps.inventory.store import Inventory
from s2ps.model.errors import InputError


def register_files(inventory: Inventory, session_id: str, files: Iterable[SessionFileRecord]) -> None:
    """Keep the files of a session; files that are no longer its own are forgotten."""
    records = tuple(files)

    def keep(connection: Connection) -> None:
        connection.execute(SESSION_FILES.delete().where(SESSION_FILES.c.session_id == session_id))
        for record in records:
            put(connection, SESSION_FILES, record)

    inventory.write(keep)


def files_of(inventory: Inventory, session_id: str) -> tuple[SessionFileRecord, ...]:
    """Return the files of a session by channel and block, the DSIB of a channel first."""
    with inventory.engine.connect() as connection:
        query = select(SESSION_FILES).where(SESSION_FILES.c.session_id == session_id)
        found = read(connection, SessionFileRecord, query)
    return tuple(sorted(found, key=lambda file: (file.channel, file.block or 0, file.name)))


def register_datastrip(inventory: Inventory, record: DatastripRecord) -> DatastripRecord:
    """Keep a datastrip."""
    inventory.write(lambda connection: put(connection, DATASTRIPS, record))
    return record


def datastrip(inventory: Inventory, name: str) -> DatastripRecord:
    """Return a datastrip; raise InputError when it is not registered."""
    with inventory.engine.connect() as connection:
        found = read(connection, DatastripRecord, select(DATASTRIPS).where(DATASTRIPS.c.id == name))
    if not found:
        raise InputError(f"datastrip {name} is not in the inventory", next_step="process its session to Level-0 first")
    return found[0]


def datastrips_of(inventory: Inventory, datatake: str) -> tuple[DatastripRecord, ...]:
    """Return the datastrips of a datatake, by time."""
    query = select(DATASTRIPS).where(DATASTRIPS.c.datatake == datatake)
    with inventory.engine.connect() as connection:
        return read(connection, DatastripRecord, query.order_by(DATASTRIPS.c.start, DATASTRIPS.c.id))


def datastrips_meeting(inventory: Inventory, area: BaseGeometry) -> tuple[DatastripRecord, ...]:
    """Return the datastrips that meet an area (degrees), by time."""
    query = select(DATASTRIPS).where(intersects(DATASTRIPS, area))
    with inventory.engine.connect() as connection:
        return read(connection, DatastripRecord, query.order_by(DATASTRIPS.c.start, DATASTRIPS.c.id))


def products_meeting(inventory: Inventory, area: BaseGeometry) -> tuple[ProductRecord, ...]:
    """Return the published products that meet an area (degrees), by name."""
    query = select(PRODUCTS).where(intersects(PRODUCTS, area)).order_by(PRODUCTS.c.name)
    with inventory.engine.connect() as connection:
        return read(connection, ProductRecord, query)
