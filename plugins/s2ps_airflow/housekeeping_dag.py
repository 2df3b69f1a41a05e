"""Makes the DAG that removes products and raw data whose time is over."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.exceptions import AirflowSkipException

from s2ps_airflow import production, texts
from s2ps_airflow.dag_factory import DEFAULT_ARGS
from s2ps_airflow.failures import translated
from s2ps_airflow.identity import HOUSEKEEPING_DAG

log = logging.getLogger(__name__)
PERIOD = timedelta(hours=1)
LIMIT = timedelta(minutes=50)


class ExpireOperator(BaseOperator):
    """Removes products whose time is over, and finishes what was interrupted."""

    ui_color = "#fee2e2"

    def execute(self, context: Context) -> int:
        """Return how many products were removed."""
        with translated():
            names = production.expire()
        for name in names:
            log.info("removed %s", name)
        log.info("%d products removed", len(names))
        return len(names)


class ExpireSessionsOperator(BaseOperator):
    """Removes the raw data of sessions whose time is over."""

    ui_color = "#fee2e2"

    def execute(self, context: Context) -> int:
        """Return of how many sessions the raw data were removed."""
        with translated():
            names = production.expire_sessions()
        if names is None:
            raise AirflowSkipException("raw data of sessions stay; S2PS_SESSION_DAYS is not set")
        for name in names:
            log.info("removed raw data of session %s", name)
        return len(names)


def build_housekeeping_dag(*, dag_id: str = HOUSEKEEPING_DAG) -> DAG:
    """Make expire_products and expire_sessions, once an hour, one run at a time."""
    with DAG(
        dag_id,
        schedule=PERIOD,
        start_date=datetime(2026, 1, 1),
        catchup=False,
        default_args=DEFAULT_ARGS,
        max_active_runs=1,
        doc_md=texts.HOUSEKEEPING_DAG,
        description="Removes products and raw data whose time is over",
        tags=["s2ps", "publication"],
        is_paused_upon_creation=False,
    ) as dag:
        ExpireOperator(
            task_id="expire_products",
            execution_timeout=LIMIT,
            doc_md="Removes products by the rules of retention; what was interrupted is finished first.",
        )
        ExpireSessionsOperator(
            task_id="expire_sessions",
            execution_timeout=LIMIT,
            doc_md="Removes raw data of sessions whose datatakes are all made, S2PS_SESSION_DAYS later; unset: never.",
        )
    return dag
