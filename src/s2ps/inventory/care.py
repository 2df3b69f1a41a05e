"""Care of an inventory's tables, without opening it as an inventory."""

from __future__ import annotations

from pathlib import Path

from s2ps.inventory.database import SQLITE, database_url, open_engine, opening
from s2ps.inventory.migration import differences, revision_of, upgrade
from s2ps.model.errors import InputError


def upgrade_database(location: Path | str) -> tuple[str | None, str]:
    """Bring the tables of a database to this version; return its revision before and after."""
    url = database_url(location)
    with opening(url):
        if url.get_backend_name() == SQLITE:
            Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
        return upgrade(open_engine(url))


def check_database(location: Path | str) -> tuple[str | None, list[str]]:
    """Return the revision of a database, and how its tables differ from those of this version; changes nothing."""
    url = database_url(location)
    if url.get_backend_name() == SQLITE and not Path(url.database or "").is_file():
        raise InputError(f"there is no inventory {url.database}", next_step="run: s2ps inventory upgrade")
    with opening(url), open_engine(url).connect() as connection:
        return revision_of(connection), differences(connection)
