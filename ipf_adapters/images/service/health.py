"""Health check of a container: `health.py COMPONENT` ends with 0 when the API calls that component healthy."""

import json
import os
import sys
from urllib.request import urlopen

COMPONENTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")


def main(component: str) -> int:
    """Ask the API server; return 0 when the component is healthy, else 1 with a line that says why."""
    if component not in COMPONENTS:
        print(f"component {component!r} is unknown: expected one of {', '.join(COMPONENTS)}", file=sys.stderr)
        return 2
    base = os.environ.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://127.0.0.1:8080/execution/")
    url = base.removesuffix("/").removesuffix("/execution") + "/api/v2/monitor/health"
    try:
        with urlopen(url, timeout=8) as answer:  # noqa: S310 - the address is a setting of the installation
            status = json.load(answer)[component]["status"]
    except (OSError, ValueError, KeyError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1
    print(f"{component} is {status}")
    return 0 if status == "healthy" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
