"""Revisions of the inventory's tables, for SQLite and PostgreSQL alike."""
