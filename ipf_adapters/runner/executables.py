"""From the executable a request names to a file of this machine."""

from __future__ import annotations

import os
from pathlib import Path

import ipf_adapters
from s2ps.execution.executables import FOLDER_VARIABLE, find_in
from s2ps.execution.request import JobRequest

PACKAGED = Path(ipf_adapters.__file__).parent / "reference" / "bin"


def executable_of(job: JobRequest) -> str:
    """Return an absolute path as it is; look for a relative one in S2PS_EXECUTABLES, then in the reference processors.

    Raises ConfigurationError naming the folders when it is nowhere.
    """
    if job.executable.startswith("/"):
        return job.executable
    named = os.environ.get(FOLDER_VARIABLE)
    folders = (*((Path(named),) if named else ()), PACKAGED)
    return str(find_in(folders, job.processor, job.executable))
