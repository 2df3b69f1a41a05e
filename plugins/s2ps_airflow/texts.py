"""What people read in the Airflow pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from s2ps.model.mission import Level
from s2ps_airflow.nodes import DATASTRIP_PHASE, L1B_PHASE, TILES_PHASE, Node

_DATATAKE_DAG: Final = """
### One datatake, Level-0 to Level-2A

A run makes the products of **one datatake**; its partition key is the datatake id. Runs start when a session
announces the datatake, by hand (trigger form, parameter `datatake` or a partition key), or by a backfill over sensing
dates: `airflow backfill create --dag-id datatake --from-date ... --to-date ...`.

- `plan_*` tasks work out the jobs once the data they depend on exist; every other task runs one **cluster** of jobs.
- Each tile goes its own way inside the group `tile`: L1C, publication, L2A, publication.
- **Skipped** means there was nothing to do (level not due for this datatake type, no reference image, ...).
- A **failed** task names the processor, the data, the exit code and the log. Correct the cause and clear the task:
  finished jobs are not run again.
- The clock starts at t0, when the last input arrived: L1C within {l1c} minutes, L2A within {l2a} minutes.
"""

HOUSEKEEPING_DAG: Final = """
Removes products whose time is over by the rules of retention: invisible at once, then their STAC items, packages and
folders. Raw data of sessions go as well when `S2PS_SESSION_DAYS` says so. Each run first finishes what was interrupted;
running it by hand is harmless.
"""

SESSION_DAG: Final = """
### One downlink session to Level-0 units

Checks that every channel of a session is complete, cuts the stream into granules (L0U) and announces each datatake
found, which starts one run of the DAG `datatake` per datatake; then it publishes telemetry (HKTM) and ancillary data
(SAD). Sessions that arrive from stations start one run each;
of a session that lies here already, trigger it with its folder. A datatake is announced once: to make it again,
trigger the DAG `datatake` by hand or clear its tasks.
"""

_STATION_DAG: Final = """
### Polls the {kind} station {name}

Every {seconds:g} s it lists what the station has published, fetches what is new, and announces the sessions that are
complete and that no run has taken yet (of all stations): each starts one run of the DAG `session_ingestion`.

- **Skipped** means there was nothing to announce, or another run is still fetching from this station.
- A poll that is killed loses nothing: what was fetched stays, and what was not announced is announced by the next one.
- Pause the DAG to leave the station alone. `s2ps sessions` tells what arrives and what it lacks.
"""

PUBLISH_SESSION: Final = (
    "Publishes housekeeping telemetry (HKTM) and ancillary data (SAD), after the datatakes are announced: "
    "images never wait for it."
)
PARAM_DATATAKE: Final = (
    "Datatake id, for example GS2B_20260701T101559_043890_N05.00. Needed unless a partition key is given."
)
PARAM_STRATEGY: Final = "How jobs are fused into clusters and with which resources they run."
PARAM_FROM_LEVEL: Final = (
    "Make this level and the ones after it anew; earlier results are used as they are. Empty: reuse what is there."
)
PARAM_FAULTS: Final = (
    "For tests: faults to inject into reference processors, one per line, TASK:data id:fault, "
    "such as DECOMP:band=B03:fail:133."
)
PARAM_SESSION: Final = (
    "Folder of the session: one sub-folder ch_1 ... ch_4 per channel, each with its DSIB and raw files."
)

LEVELS: Final[dict[Level, str]] = {
    Level.L0U: "Cuts the downlink stream into granules",
    Level.L0: "Level-0: geolocated, quality checked packets per granule",
    Level.L1A: "Level-1A: decompressed images in sensor geometry",
    Level.L1B: "Level-1B: calibrated radiances, refined geometry",
    Level.L1C: "Level-1C: top-of-atmosphere reflectance per tile",
    Level.L2A: "Level-2A: surface reflectance and scene classification per tile",
}

PLANS: Final[dict[str, str]] = {
    DATASTRIP_PHASE: "Takes the datatake for this run and plans its Level-0 and Level-1A jobs. "
    "If another run is producing the same datatake, everything else is skipped.",
    L1B_PHASE: "Plans the Level-1B jobs: with geometric refining if reference images were found, without otherwise.",
    TILES_PHASE: "Plans the Level-1C and Level-2A jobs of every tile the datastrip covers.",
}
TILE_GROUP: Final = "One copy per MGRS tile; a tile never waits for its siblings"
SUMMARY: Final = (
    "Prints the products and the time per level. Fails if a task of the run failed, so that the run is marked failed."
)


def station_dag(name: str, kind: str, seconds: float) -> str:
    """Return the description of the DAG of a station."""
    return _STATION_DAG.format(name=name, kind=kind, seconds=seconds)


def minutes(limit: timedelta) -> str:
    """Return a time limit as minutes."""
    return f"{limit.total_seconds() / 60:g}"


def datatake_dag(l1c: timedelta, l2a: timedelta) -> str:
    """Return the description of the datatake DAG with its time limits."""
    return _DATATAKE_DAG.format(l1c=minutes(l1c), l2a=minutes(l2a))


def milestone(limit: timedelta) -> str:
    """Return the description of the L1C milestone."""
    return (
        f"Says whether the last L1C product came within {minutes(limit)} minutes after t0. "
        "Reports a breach; never fails the run."
    )


def cluster(node: Node) -> str:
    """Return the description of a cluster task."""
    steps = "\n".join(f"- `{task}`" for task in node.tasks)
    scope = f"one {' and '.join(node.over)}" if node.over else "the whole datastrip"
    return (
        f"Runs the {node.level} cluster **{node.name}** for {scope}. Steps:\n\n{steps}\n\n"
        "Skipped when it has no jobs for this datatake. Clearing it runs only the jobs that are not finished."
    )


def publish(level: Level) -> str:
    """Return the description of a publication task."""
    return f"Publishes the {level} products that passed their quality checks; those already there are recognised."
