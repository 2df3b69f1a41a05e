"""Run a session through the Airflow of a started service: `follow.py URL PASSWORD SESSION_FOLDER SECONDS`.

A program of its own because it runs in the network of the Docker engine. Prints the runs as JSON; ends with 1 when one
failed.
"""

from __future__ import annotations

import json
import sys
import time

from s2ps.embedded.rest import AirflowClient


def follow(client: AirflowClient, session: str, seconds: float) -> dict[str, str]:
    """Trigger the ingestion of a session and wait for it and for the run of every datatake; return DAG -> state."""
    until = time.monotonic() + seconds
    while not {"session_ingestion", "datatake"} <= set(client.dag_ids()):
        if time.monotonic() > until:
            return {"DAG files": f"are not loaded: {client.import_errors()}"}
        time.sleep(1)
    ingestion = client.trigger("session_ingestion", {"session": session})
    states = {"session_ingestion": client.wait("session_ingestion", ingestion, seconds)}
    if states["session_ingestion"] == "success":
        for datatake in client.xcom("session_ingestion", ingestion, "announce_datatakes"):
            while (run := client.run_of_partition("datatake", datatake)) is None:
                if time.monotonic() > until:
                    return {**states, datatake: "was not started"}
                time.sleep(1)
            states[datatake] = client.wait("datatake", str(run["dag_run_id"]), until - time.monotonic())
            report(client, str(run["dag_run_id"]))
    return states


def report(client: AirflowClient, run_id: str) -> None:
    """Say which tasks did not succeed, with the end of their logs."""
    for task in client.task_instances("datatake", run_id):
        if task.state in ("failed", "upstream_failed"):
            log = client.log("datatake", run_id, task.task_id, max(task.try_number, 1), task.map_index)
            print(task.task_id, task.map_index, task.state, log[-2000:], file=sys.stderr)


if __name__ == "__main__":
    url, password, folder, limit = sys.argv[1:]
    found = follow(AirflowClient(url, "admin", password), folder, float(limit))
    print(json.dumps(found))
    sys.exit(0 if set(found.values()) == {"success"} else 1)
