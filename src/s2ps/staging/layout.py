"""Every path inside the staging, in one place.

A key is a relative path with "/" between its segments. `run` keys hold what one run plans and reports
(plans, requests, results, state); `datatake` keys hold what its jobs make (job folders, logs, fused inputs).
Both are folders below runs/, so a run named like its datatake keeps everything in one folder.
"""

from __future__ import annotations

import hashlib
import re

from s2ps.model.errors import InputError

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.;=@+,-]*")
_SEGMENT_BYTES = 200
"""Leaves room for the suffix of unfinished folders inside the 255 bytes of a file name."""

PARTIAL_MARK = ".partial-"
"""Part of the name of everything that is not committed yet; never listed, never reused."""
STALE_MARK = ".stale-"
"""Part of the name of what has been replaced and is about to be removed."""

JOB_DOCUMENT = "job.json"
JOB_ORDER = "JobOrder.xml"
SESSIONS = "sessions"
RUNS = "runs"
PRODUCTS = "products"
INVENTORY = "inventory.sqlite"


def segment(text: str) -> str:
    """Return a name that may become one path segment, unchanged; raise InputError when it may not."""
    if not _SEGMENT.fullmatch(text) or len(text) > _SEGMENT_BYTES or PARTIAL_MARK in text or STALE_MARK in text:
        raise InputError(
            f"{text!r} cannot name a folder of the staging",
            expected=f"1 to {_SEGMENT_BYTES} letters, digits or _.;=@+,- not starting with a dot or a sign",
            next_step="correct the id of the run, job, cluster or session it comes from",
        )
    return text


def job_name(job_id: str) -> str:
    """Return the folder name of a job: its id, or for a very long id its beginning and a hash of it."""
    if len(job_id) <= _SEGMENT_BYTES:
        return segment(job_id)
    digest = hashlib.sha256(job_id.encode()).hexdigest()[:16]
    return segment(f"{job_id[: _SEGMENT_BYTES - 20]}-{digest}")


def session(session_id: str) -> str:
    """Return the folder of a session's channels."""
    return f"{SESSIONS}/{segment(session_id)}"


def run(key: str) -> str:
    """Return the folder of a run or of a datatake."""
    return f"{RUNS}/{segment(key)}"


def run_state(key: str) -> str:
    """Return the document with the state of a run."""
    return f"{run(key)}/state.json"


def plan(key: str, phase_group: str) -> str:
    """Return the document with the planned clusters of a phase group."""
    return f"{run(key)}/plans/{segment(phase_group)}.json"


def request(key: str, cluster_id: str) -> str:
    """Return the request document of a cluster."""
    return f"{run(key)}/requests/{segment(cluster_id)}.json"


def result(key: str, cluster_id: str) -> str:
    """Return the result document of a cluster."""
    return f"{run(key)}/results/{segment(cluster_id)}.json"


def jobs(datatake: str) -> str:
    """Return the folder of all job folders."""
    return f"{run(datatake)}/jobs"


def job(datatake: str, job_id: str) -> str:
    """Return the folder of a finished job."""
    return f"{jobs(datatake)}/{job_name(job_id)}"


def output(datatake: str, job_id: str, output_type: str) -> str:
    """Return the folder of one output type of a finished job."""
    return f"{job(datatake, job_id)}/{segment(output_type)}"


def physical_output(datatake: str, job_id: str, output_type: str) -> str:
    """Return the one file of a Physical output type of a finished job."""
    return f"{output(datatake, job_id, output_type)}/{physical_name(output_type)}"


def physical_name(output_type: str) -> str:
    """Return the file name of a Physical output type: "TILE_LIST_FILE" gives "tile_list_file.xml"."""
    return f"{output_type.lower()}.xml"


def log(datatake: str, job_id: str) -> str:
    """Return the log of a job; it is there while the job runs and stays when it fails."""
    return f"{run(datatake)}/logs/{job_name(job_id)}.log"


def failed_order(datatake: str, job_id: str) -> str:
    """Return the job order of the last failed attempt at a job, for people who look for the reason."""
    return f"{run(datatake)}/logs/{job_name(job_id)}.{JOB_ORDER}"


def failed_jobs(datatake: str) -> str:
    """Return the folder of the work folders of failed jobs."""
    return f"{run(datatake)}/failed"


def failed(datatake: str, job_id: str) -> str:
    """Return the work folder of the last failed attempt at a job; it goes when the job succeeds."""
    return f"{failed_jobs(datatake)}/{job_name(job_id)}"


def fused(datatake: str, digest: str) -> str:
    """Return the folder of links that joins the outputs of several jobs."""
    return f"{run(datatake)}/fused/{segment(digest)}"
