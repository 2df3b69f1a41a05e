"""What was measured, as plain lines and as JSON."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path


@dataclass(slots=True)
class Report:
    """Collects measurements and prints each as soon as it is known."""

    entries: list[dict[str, object]] = field(default_factory=list)

    def add(self, name: str, label: str, **values: float) -> None:
        """Note and print a measurement; the names of its values end in their unit."""
        rounded = {key: round(value, 3 if value < 10 else 1) for key, value in values.items()}
        self.entries.append({"name": name, "label": label, **rounded})
        print(f"{label:48s} " + "  ".join(f"{key} {value:g}" for key, value in rounded.items()), flush=True)

    def write(self, path: Path) -> None:
        """Write the measurements with the machine they were made on."""
        document = {"measured": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**document, "measurements": self.entries}, indent=1) + "\n")


def machine() -> dict[str, object]:
    """Return what the figures depend on: cores, memory, load, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory, 1),
        "load_1_5_15_min": [round(value, 1) for value in os.getloadavg()],
        "python": platform.python_version(),
    }
