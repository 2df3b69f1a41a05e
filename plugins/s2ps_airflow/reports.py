"""The two tasks at the end of a datatake: the L1C milestone and the summary."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from s2ps_airflow import tasks
from s2ps_airflow.alerts import send_alert
from s2ps_airflow.identity import datatake_id
from s2ps_airflow.milestones import Milestone, last_published, t0_of

log = logging.getLogger(__name__)

BAD_STATES = frozenset({"failed", "upstream_failed"})


def pulled(context: Mapping[str, Any], task_id: str) -> list[Any]:
    """Return the results of a task, one per mapped instance; none for skipped instances."""
    value = context["ti"].xcom_pull(task_ids=task_id)
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else [item for item in value if item is not None]


class MilestoneOperator(BaseOperator):
    """Compares the last publication of a level with its time limit; reports a breach, never fails the run."""

    ui_color = "#fee2e2"

    def __init__(self, *, milestone: str, publish_task: str, plan_task: str, limit: timedelta, **kwargs: Any) -> None:
        """`plan_task` returns the list of what is due, `publish_task` runs once for each."""
        super().__init__(**kwargs)
        self.plan_task = plan_task
        self.milestone = milestone
        self.publish_task = publish_task
        self.limit = limit

    def execute(self, context: Any) -> dict[str, Any]:
        """Return the milestone; send an alert when it was missed."""
        planned, published = pulled(context, self.plan_task), pulled(context, self.publish_task)
        result = Milestone(
            self.milestone, t0_of(context), last_published(published), self.limit, len(planned), len(published),
            datetime.now(UTC),
        )  # fmt: skip
        log.info(result.text)
        if result.missed:
            send_alert({"event": "milestone_missed", "datatake": datatake_id(context), **result.as_dict()})
        return result.as_dict()


class SummaryOperator(BaseOperator):
    """Prints the products and the time per level, and fails when something in the run failed."""

    ui_color = "#e5e7eb"

    def __init__(
        self, *, publish_tasks: Sequence[str], cluster_tasks: Mapping[str, Sequence[str]], **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.publish_tasks = list(publish_tasks)
        self.cluster_tasks = {level: list(ids) for level, ids in cluster_tasks.items()}

    def execute(self, context: Any) -> dict[str, Any]:
        """Return products per level and job seconds per level; raise when tasks of the run have failed."""
        products: dict[str, list[str]] = {}
        levels = {level: self._level(context, ids) for level, ids in self.cluster_tasks.items()}
        for task_id in self.publish_tasks:
            for record in pulled(context, task_id):
                level = record["level"].upper()
                products.setdefault(level, []).extend(record["products"])
                levels[level]["items"] += record["items"]
        report(datatake_id(context), products, levels)
        failed = failed_tasks(context)
        if failed:
            raise AirflowFailException(
                f"{len(failed)} tasks of this run did not succeed: {', '.join(failed)}; "
                "next: look into the log of the first failed one, correct the cause, clear it with its downstream tasks"
            )
        tasks.datatake_finished(datatake_id(context))
        return {"products": {level: len(paths) for level, paths in products.items()}, "levels": levels}

    @staticmethod
    def _level(context: Any, task_ids: Sequence[str]) -> dict[str, float]:
        names = ("done", "reused", "warnings", "job_seconds", "cpu_seconds")
        records = [record for task_id in task_ids for record in pulled(context, task_id)]
        total = {name: round(sum(record[name] for record in records), 2) for name in names}
        return {**total, "items": 0}


def failed_tasks(context: Mapping[str, Any]) -> list[str]:
    """Return the tasks of this run that failed themselves, or their followers if no other is known."""
    run, ti = context["dag_run"], context["ti"]
    states = ti.get_task_states(dag_id=run.dag_id, run_ids=[run.run_id]).get(run.run_id, {})
    failed = sorted(name for name, state in states.items() if str(state) == "failed")
    return failed or sorted(name for name, state in states.items() if str(state) in BAD_STATES)


def report(datatake: str, products: Mapping[str, Sequence[str]], levels: Mapping[str, Mapping[str, float]]) -> None:
    """Write the summary into the log."""
    log.info("datatake %s", datatake)
    for level, numbers in levels.items():
        log.info(
            "%-4s %4d jobs done, %4d reused, %3d warnings, %8.1f s of jobs, %8.1f s of CPU, %3d products, %4d items",
            level, numbers["done"], numbers["reused"], numbers["warnings"],
            numbers["job_seconds"], numbers["cpu_seconds"], len(products.get(level, ())), numbers["items"],
        )  # fmt: skip
    for level, paths in products.items():
        for path in paths:
            log.info("product %s %s", level, path)
