"""One run per key: an announcement of what was announced before starts nothing."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from airflow.partition_mappers.base import PartitionMapper

log = logging.getLogger(__name__)


class OnceMapper(PartitionMapper):
    """Maps a key to itself the first time, and to nothing when a run of the DAG was announced for it before.

    Airflow asks while it takes an announcement in: with a run that is still to be made it joins the two, so of any
    number of announcements one run comes. Runs by hand and backfills are not announced and are not counted.
    """

    dag_id: ClassVar[str]

    @abstractmethod
    def check(self, key: str) -> None:
        """Raise ValueError when a text is no key."""

    def to_downstream(self, key: str) -> str | Iterable[str]:
        """Return the key, or nothing; raise ValueError when it is none."""
        self.check(key)
        if announced_run(self.dag_id, key) is None:
            return key
        log.info("%s was announced to %s before; nothing is started", key, self.dag_id)
        return ()


def announced_run(dag_id: str, key: str) -> str | None:
    """Return the run an announcement of a key has started; None when there is none. Asks Airflow's database."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunType
    from sqlalchemy import select

    query = select(DagRun.run_id).where(
        DagRun.dag_id == dag_id, DagRun.partition_key == key, DagRun.run_type == DagRunType.ASSET_TRIGGERED
    )
    with create_session() as session:
        found: str | None = session.scalar(query.limit(1))
        return found
