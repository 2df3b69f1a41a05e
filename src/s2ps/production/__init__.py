"""One session or datatake from plan to product; `Production` is the entry point.

It is imported when it is asked for: reading a strategy, as DAG files do, needs no database and no geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from s2ps.production.runs import ClusterRef, RunKey
    from s2ps.production.service import Production

__all__ = ["ClusterRef", "Production", "RunKey"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from s2ps.production import runs, service

    return getattr(service if name == "Production" else runs, name)
