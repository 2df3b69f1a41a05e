"""Types of columns that mean the same in SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, TypeEngine

from s2ps.model.timestamps import format_utc, parse_utc

POSTGRESQL = "postgresql"
ONLY = "only"
"""Key in `info` of an index that is made in one kind of database only, which it names."""
BIG = BigInteger().with_variant(Integer, "sqlite")
"""A whole number of 64 bits."""


class UtcText(TypeDecorator[datetime]):
    """A UTC time: `timestamptz` in PostgreSQL, in SQLite text of fixed width, so that texts compare as times do."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the database."""
        if dialect.name == POSTGRESQL:
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write a time."""
        if value is None or dialect.name == POSTGRESQL:
            return value
        return format_utc(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a time."""
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        return None if value is None else parse_utc(value)


class PathText(TypeDecorator[Path]):
    """A path as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> str | None:
        """Write a path."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Path | None:
        """Read a path."""
        return None if value is None else Path(value)


class TextTuple(TypeDecorator[tuple[str, ...]]):
    """A tuple of texts as a JSON list."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:
        """Write a tuple."""
        return None if value is None else json.dumps(list(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:
        """Read a tuple."""
        return None if value is None else tuple(json.loads(value))
