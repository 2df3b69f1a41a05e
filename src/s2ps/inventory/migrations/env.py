"""Run by Alembic: revisions on the connection the caller gives, in the caller's transaction."""

from __future__ import annotations

from alembic import context

from s2ps.inventory.migration import comparison

connection = context.config.attributes["connection"]
context.configure(connection=connection, render_as_batch=True, **comparison(connection))
with context.begin_transaction():
    context.run_migrations()
