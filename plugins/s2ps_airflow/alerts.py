"""What happens when a time limit is missed: a line in the log and, if configured, a message to a web hook."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from typing import Any

from s2ps.settings import Settings

log = logging.getLogger(__name__)


def deadline_missed(milestone: str, context: dict[str, Any] | None = None, **_: Any) -> None:
    """Report a missed deadline; called by Airflow with the run and the deadline as plain data."""
    run = (context or {}).get("dag_run") or {}
    deadline = (context or {}).get("deadline") or {}
    send_alert(
        {
            "event": "deadline_missed",
            "milestone": milestone,
            "dag_id": run.get("dag_id"),
            "run_id": run.get("dag_run_id") or run.get("run_id"),
            "datatake": run.get("partition_key") or (run.get("conf") or {}).get("datatake"),
            "deadline": str(deadline.get("deadline_time")),
        }
    )


def send_alert(message: dict[str, Any]) -> bool:
    """Log an alert and post it as JSON to the address in S2PS_ALERT_WEBHOOK; return whether it was delivered."""
    log.error("ALERT %s", json.dumps(message, sort_keys=True))
    address = (Settings().alert_webhook or "").strip()
    if not address.startswith(("http://", "https://")):
        return False
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked above
        address, data=json.dumps(message).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            return True
    except (urllib.error.URLError, TimeoutError) as error:
        log.warning("alert not delivered to %s: %s; next: check S2PS_ALERT_WEBHOOK", address, error)
        return False
