"""Run one reference processor: `python -m ipf_adapters.reference NAME JobOrder.xml`.

The environment variable S2PS_FAULT injects a fault: `fail:<code>` ends with that code, `slow:<seconds>` waits first,
`omit:<TYPE>` removes that output after the work.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
import traceback
from pathlib import Path

from ipf_adapters.reference.context import JobContext
from ipf_adapters.reference.errors import UNEXPECTED, InvalidInput, JobError, MissingInput, NoData
from ipf_adapters.reference.joblog import JobLog
from ipf_adapters.reference.registry import load
from s2ps.formats.job_order import read_job_order
from s2ps.model.errors import S2psError

USAGE = "usage: python -m ipf_adapters.reference NAME JobOrder.xml"
FAULT = "S2PS_FAULT"


class InjectedFault(JobError):
    """A failure asked for by S2PS_FAULT."""

    def __init__(self, code: int) -> None:
        super().__init__(f"fault injected by {FAULT}: exit code {code}")
        self.exit_code = code


def execute(name: str, job_order: Path) -> None:
    """Run a processor on a job order file; raises JobError or S2psError."""
    if not job_order.is_file():
        raise MissingInput(f"job order {job_order} does not exist: give the path of an Ipf_Job_Order file")
    run = load(name)
    ctx = JobContext.of(read_job_order(job_order))
    kind, _, value = os.environ.get(FAULT, "").partition(":")
    before_work(kind, value)
    run(ctx)
    if kind == "omit":
        for output in ctx.order.outputs:
            if output.type == value:
                remove(output.path)


def before_work(kind: str, value: str) -> None:
    """Apply the faults that come before the work."""
    if kind not in ("", "fail", "slow", "omit"):
        raise InvalidInput(f"{FAULT} {kind!r} is unknown: expected fail:<code>, slow:<seconds> or omit:<TYPE>")
    try:
        if kind == "fail":
            raise InjectedFault(int(value))
        if kind == "slow":
            time.sleep(float(value))
    except ValueError as error:
        raise InvalidInput(f"{FAULT}={kind}:{value}: {value!r} is no number") from error


def remove(path: Path) -> None:
    """Remove a file or a folder that may not exist."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Run a processor and return the exit code of its outcome; one line tells why it stopped."""
    if len(arguments) != 2:
        print(USAGE, file=sys.stderr)
        return InvalidInput.exit_code
    name, job_order = arguments
    log = JobLog(name)
    try:
        execute(name, Path(job_order))
    except NoData as outcome:
        log.warning(str(outcome))
        return outcome.exit_code
    except JobError as failure:
        log.failure(str(failure))
        return failure.exit_code
    except S2psError as failure:
        log.failure(str(failure))
        return InvalidInput.exit_code
    except Exception as failure:  # noqa: BLE001 - the process boundary turns anything unexpected into its exit code
        traceback.print_exc()
        log.failure(f"unexpected {type(failure).__name__}: {failure}: report it with the job order {job_order}")
        return UNEXPECTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
