"""A small client of Airflow's REST API: trigger, wait, follow."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from s2ps.model.errors import NotReady, S2psError, TimeoutFailure

FINAL = frozenset({"success", "failed"})
PAGE = 1000


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """One task instance of a run."""

    task_id: str
    map_index: int
    label: str
    state: str
    seconds: float
    try_number: int


class AirflowClient:
    """Talks to one Airflow; logs in again when its token has expired."""

    def __init__(self, url: str, user: str, password: str, timeout: float = 30.0) -> None:
        self.url = url
        self._credentials = {"username": user, "password": password}
        self._http = httpx.Client(base_url=url, timeout=timeout)
        self._token: str | None = None

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def health(self) -> dict[str, str]:
        """Return the state of each component ("healthy", "unhealthy"); empty while the API does not answer."""
        try:
            answer = self._http.get("/api/v2/monitor/health")
            answer.raise_for_status()
        except httpx.HTTPError:
            return {}
        return {name: str(value.get("status")) for name, value in answer.json().items() if value.get("status")}

    def warm_up(self) -> None:
        """Make the server load the interface of the tasks before the first one needs it."""
        try:
            self._http.get("/execution/health/ping")
        except httpx.HTTPError:
            return

    def dag_ids(self) -> list[str]:
        """Return the DAGs that can be triggered."""
        return sorted(dag["dag_id"] for dag in self._get("/api/v2/dags", limit=100)["dags"])

    def import_errors(self) -> dict[str, str]:
        """Return the DAG files that do not load, with the reason."""
        return {e["filename"]: e["stack_trace"] for e in self._get("/api/v2/importErrors", limit=50)["import_errors"]}

    def trigger(
        self, dag_id: str, conf: Mapping[str, Any], partition_key: str | None = None, run_id: str | None = None
    ) -> str:
        """Start a run; return its id."""
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf)}
        body |= {"partition_key": partition_key} if partition_key else {}
        body |= {"dag_run_id": run_id} if run_id else {}
        return str(self._request("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the newest runs of a DAG: dag_run_id, state, partition_key, conf, queued_at, end_date ..."""
        return list(self._get(f"/api/v2/dags/{dag_id}/dagRuns", limit=100, order_by="-run_after")["dag_runs"])

    def run_of_partition(self, dag_id: str, partition_key: str) -> dict[str, Any] | None:
        """Return the newest run of a partition; None when there is none yet."""
        found = [run for run in self.runs(dag_id) if run.get("partition_key") == partition_key]
        return max(found, key=lambda run: str(run["queued_at"]), default=None)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return queued, running, success or failed."""
        return str(self._get(f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskProgress]:
        """Return every task instance of a run."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: list[TaskProgress] = []
        while True:
            page = self._get(path, limit=PAGE, offset=len(found))
            found += [_progress(item) for item in page["task_instances"]]
            if not page["task_instances"] or len(found) >= page["total_entries"]:
                return found

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value") -> Any:
        """Return what a task has left for others."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        return self._get(path, deserialize="true")["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of a task instance as text."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        content = self._get(path, map_index=map_index, full_content="true")["content"]
        return "\n".join(_line(entry) for entry in content)

    def wait(
        self,
        dag_id: str,
        run_id: str,
        timeout: float,
        on_progress: Callable[[list[TaskProgress]], None] | None = None,
        pause: float = 1.0,
    ) -> str:
        """Wait until a run has ended; return success or failed; raise TimeoutFailure after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            state = self.run_state(dag_id, run_id)
            if on_progress is not None:
                on_progress(self.task_instances(dag_id, run_id))
            if state in FINAL:
                return state
            if time.monotonic() > deadline:
                raise TimeoutFailure(
                    f"run {run_id} of {dag_id} is still {state} after {timeout:.0f} s",
                    next_step=f"look at {self.url}/dags/{dag_id}/runs/{run_id}",
                )
            time.sleep(pause)

    def clear(self, dag_id: str, run_id: str, task_ids: list[str], downstream: bool = True) -> int:
        """Clear tasks so that they run again; return how many task instances that are."""
        body = {
            "dag_run_id": run_id,
            "task_ids": task_ids,
            "include_downstream": downstream,
            "only_failed": False,
            "reset_dag_runs": True,
            "dry_run": False,
        }
        return int(self._request("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", json=body)["total_entries"])

    def _get(self, path: str, **params: Any) -> Any:
        return self._request("GET", path, params=params)

    def _request(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
            answer = self._send(method, path, **options)
        if answer.is_error:
            raise S2psError(f"Airflow answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, headers={"Authorization": f"Bearer {self._login()}"}, **options)
        except httpx.TransportError as error:
            raise NotReady(f"Airflow at {self.url} does not answer: {error}", next_step="start it again") from error

    def _login(self) -> str:
        if self._token is None:
            answer = self._http.post("/auth/token", json=self._credentials)
            if answer.is_error:
                raise S2psError(
                    f"Airflow at {self.url} refused the login of {self._credentials['username']}: {answer.status_code}",
                    next_step="check that no other Airflow uses this port",
                )
            self._token = str(answer.json()["access_token"])
        return self._token


def _progress(item: Mapping[str, Any]) -> TaskProgress:
    return TaskProgress(
        task_id=str(item["task_id"]),
        map_index=int(item["map_index"]),
        label=str(item.get("rendered_map_index") or ""),
        state=str(item["state"] or "waiting"),
        seconds=float(item["duration"] or 0.0),
        try_number=int(item["try_number"]),
    )


def _line(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return str(entry)
    reasons = [f"{e.get('exc_type')}: {e.get('exc_value')}" for e in entry.get("error_detail") or ()]
    return "\n".join([str(entry.get("event", "")), *reasons])
