"""The folder a job works in, its job order, log and environment."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from ipf_adapters.runner.outputs import output_path, prepare
from ipf_adapters.runner.scratch import Scratch
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.formats.job_order import ANY_START, ANY_STOP, JobOrder, JobOrderInput, JobOrderOutput, write_job_order
from s2ps.model.timestamps import format_utc
from s2ps.staging import layout
from s2ps.staging.store import StagingStore

WORKING = "WORKING"
TAIL_LINES = 15
TAIL_BYTES = 64 * 1024
_WITHHELD = re.compile(
    r"AIRFLOW.*|S2PS_INVENTORY|S2PS_PRIP_.*|S2PS_ALERT_WEBHOOK"
    r"|.*(SECRET|PASSW|PASSPHRASE|TOKEN|CREDENTIAL|ACCESS_KEY|API_KEY).*",
    re.IGNORECASE,
)
"""Variables that are no business of a processor: keys, passwords and databases of whoever started the cluster."""
_LOGIN = re.compile(r"://[^/\s@]*:[^/\s@]+@")
"""A password in a URL, whatever the variable is called."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """One attempt at a job: an uncommitted folder and the job order in it."""

    folder: Path
    order: Path

    @property
    def working(self) -> Path:
        """Return the scratch folder, which is removed before the commit."""
        return self.folder / WORKING

    def clear(self) -> None:
        """Remove the scratch folder."""
        shutil.rmtree(self.working, ignore_errors=True)


def make_workspace(
    store: StagingStore,
    scratch: Scratch,
    request: ClusterRequest,
    job: JobRequest,
    inputs: tuple[JobOrderInput, ...],
) -> Workspace:
    """Make the folder of an attempt with its output folders and job order."""
    folder = store.begin(layout.job(request.datatake, job.id))
    workspace = Workspace(folder=folder, order=folder / layout.JOB_ORDER)
    workspace.working.mkdir()
    scratch.begin(job, folder)
    prepare(folder, job)
    own = tuple(_own_folder(workspace, entry.type) for entry in job.inputs if entry.workspace)
    workspace.order.write_bytes(write_job_order(_job_order(request, job, (*inputs, *own), workspace)))
    return workspace


def _own_folder(workspace: Workspace, input_type: str) -> JobOrderInput:
    folder = workspace.working / input_type
    folder.mkdir()
    return JobOrderInput(input_type, "Directory", (folder,))


def environment_of(job: JobRequest, workspace: Workspace, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a processor: no secrets, one computing thread unless said otherwise, scratch inside."""
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    own = {"TMPDIR": str(workspace.working), "S2PS_JOB_ID": job.id}
    python = {"S2PS_PYTHON": sys.executable}
    seen = {n: value for n, value in inherited.items() if not (_WITHHELD.fullmatch(n) or _LOGIN.search(value))}
    return {**threads, **python, **seen, **own, **job.environment}


def tail(log: IO[bytes], lines: int = TAIL_LINES) -> str:
    """Return the last lines of a log."""
    end = log.seek(0, os.SEEK_END)
    log.seek(max(0, end - TAIL_BYTES))
    text = log.read().decode("utf-8", errors="replace")
    return "\n".join(deque(text.splitlines(), maxlen=lines))


def _job_order(
    request: ClusterRequest, job: JobRequest, inputs: tuple[JobOrderInput, ...], workspace: Workspace
) -> JobOrder:
    own = (
        ()
        if any(entry.type == WORKING for entry in inputs)
        else (JobOrderInput(WORKING, "Directory", (workspace.working,)),)
    )
    return JobOrder(
        chain=_chain(job.phase),
        task=job.processor,
        version=job.version,
        parameters=job.parameters,
        inputs=(*inputs, *own),
        outputs=tuple(
            JobOrderOutput(entry.type, entry.kind, output_path(workspace.folder, entry), entry.mandatory)
            for entry in job.outputs
        ),
        acquisition_station=request.acquisition_station or "S2PS",
        processing_station=request.processing_station or "S2PS",
        sensing_start=_time(request.sensing_start, ANY_START),
        sensing_stop=_time(request.sensing_stop, ANY_STOP),
    )


def _chain(phase: str) -> str:
    return phase.removeprefix("OLQC_")[:2]


def _time(moment: datetime | None, default: str) -> str:
    return format_utc(moment) if moment else default
