"""Imports and caches worth having before the scheduler forks its task processes."""

from __future__ import annotations

import importlib
import logging
import os

from s2ps.model.errors import S2psError

MODULES = (
    "s2ps.production.service",
    "s2ps.planning",
    "s2ps.inventory",
    "s2ps.execution",
    "s2ps.ingestion.service",
    "s2ps.inventory.arrivals",
    "s2ps.publication.publisher",
    "rasterio.shutil",
    "rasterio.warp",
    "s2ps_airflow.installed",
    "s2ps_airflow.operators",
    "s2ps_airflow.reports",
)

POD_MODULES = ("s2ps_airflow.pods.operator",)

log = logging.getLogger(__name__)


def preload() -> None:
    """Import what tasks use, read the catalogue and the revisions; what is broken is only reported, its tasks fail."""
    pods = os.environ.get("S2PS_EXECUTION") == "pod"
    for module in (*MODULES, *(POD_MODULES if pods else ())):
        try:
            importlib.import_module(module)
        except ImportError as error:
            log.warning("not preloaded: %s: %s", module, error)
    try:
        from s2ps.inventory.migration import head
        from s2ps_airflow.installed import datatake_dags

        head()
        datatake_dags()
    except (S2psError, ImportError, ValueError) as error:
        log.warning("catalogue not preloaded: %s", error)


preload()
