"""One job from its request to its committed folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import IO

from ipf_adapters.runner.command import GRACE_S, Outcome, run_command
from ipf_adapters.runner.disk import full_by_error, full_by_processor, written_places
from ipf_adapters.runner.executables import executable_of
from ipf_adapters.runner.failed import FailedFolders
from ipf_adapters.runner.inputs import InputResolver
from ipf_adapters.runner.outputs import VerifyMode, collect, lost, recorded, write_record
from ipf_adapters.runner.stop import Stop
from ipf_adapters.runner.workspace import Workspace, environment_of, make_workspace, tail
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.execution.result import JobRecord, JobResult, JobState, OutputFile
from s2ps.model.errors import S2psError, is_temporary
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


class JobRunner:
    """Runs the jobs of one cluster, each from the thread that asks for it."""

    def __init__(self, store: StagingStore, request: ClusterRequest, stop: Stop, verify: VerifyMode = "quick") -> None:
        self._store = store
        self._request = request
        self._stop = stop
        self._verify: VerifyMode = verify
        self._inputs = InputResolver(store, request.datatake)
        self._failed_folders = FailedFolders(store, request.datatake)

    def run(self, job: JobRequest) -> JobResult:
        """Run a job, or take its finished result; every failure ends in the returned result."""
        started = datetime.now(UTC)
        try:
            folder = layout.job(self._request.datatake, job.id)
            if self._store.exists(folder):
                record = self._finished(job)
                if record is not None:
                    return self._result(job, "reused", started, record=record)
                self._store.delete(folder)
            command = executable_of(job)
            workspace = make_workspace(self._store, self._request, job, self._inputs.resolve(job))
        except (S2psError, OSError) as error:
            return self._result(job, "failed", started, error=_naming(job, str(self._noted(error))))
        try:
            return self._attempt(job, command, workspace, started)
        finally:
            if workspace.folder.exists():
                self._store.discard(workspace.folder)

    def _finished(self, job: JobRequest) -> JobRecord | None:
        key = layout.job(self._request.datatake, job.id)
        if not job.key or not self._store.exists(key):
            return None
        record = recorded(self._store, key)
        if record is None or record.key != job.key or lost(self._store, key, record, self._verify) is not None:
            return None
        return record

    def _noted(self, error: S2psError | OSError) -> Exception:
        """Return the error in plain words; stop the cluster when it will pass, since other jobs would meet it too."""
        plain = full_by_error(error, written_places(self._store)) or error
        if is_temporary(plain):
            self._stop.give_up(plain)
        return plain

    def _attempt(self, job: JobRequest, command: str, workspace: Workspace, started: datetime) -> JobResult:
        with self._store.open_log(layout.log(self._request.datatake, job.id)) as log:
            try:
                outcome = run_command(
                    [command, str(workspace.order)],
                    cwd=workspace.working,
                    environment=environment_of(job, workspace, os.environ),
                    log=log,
                    timeout_s=job.timeout_s,
                    stop=self._stop,
                )
            except OSError as error:
                self._noted(error)
                unstarted = f"{job.id}: {command} cannot be started: {error.strerror}; check the catalogue"
                return self._result(job, "failed", started, error=unstarted)
            reason = _failure(job, outcome, self._stop.reason)
            if reason is None:
                try:
                    return self._commit(job, workspace, outcome, started)
                except (S2psError, OSError) as error:
                    reason = str(self._noted(error))
            elif outcome.ending == "exit" and (full := full_by_processor(workspace.folder, tail(log))) is not None:
                self._stop.give_up(full)
                reason = f"{reason}: {full}"
            return self._failed(job, workspace, outcome, started, _with_log(reason, log))

    def _failed(
        self, job: JobRequest, workspace: Workspace, outcome: Outcome, started: datetime, error: str
    ) -> JobResult:
        """Keep the job order and the work folder, unless everything is being stopped."""
        if self._stop.reason is None or outcome.ending == "timeout":
            try:
                self._store.write(layout.failed_order(self._request.datatake, job.id), workspace.order.read_bytes())
            except (S2psError, OSError) as unkept:
                error = f"{error}\n(its job order cannot be kept: {unkept})"
            error = f"{error}\n({self._failed_folders.keep(job.id, workspace.folder)})"
        return self._result(job, "failed", started, outcome=outcome, error=error)

    def _commit(self, job: JobRequest, workspace: Workspace, outcome: Outcome, started: datetime) -> JobResult:
        workspace.clear()
        record = JobRecord(
            id=job.id,
            key=job.key,
            task=job.task,
            processor=job.processor,
            version=job.version,
            types=tuple(dict.fromkeys(output.type for output in job.outputs)),
            warning=outcome.exit_code != 0,
            outputs=collect(workspace.folder, job),
        )
        write_record(workspace.folder, record)
        won = self._store.commit(workspace.folder, layout.job(self._request.datatake, job.id))
        if won:
            self._failed_folders.forget(job.id)
            return self._result(job, "done", started, outcome=outcome, record=record)
        theirs = self._finished(job)
        if theirs is not None:
            return self._result(job, "reused", started, outcome=outcome, record=theirs)
        reason = f"{job.id}: another run with another plan has made this job at the same time; start this one again"
        return self._result(job, "failed", started, outcome=outcome, error=reason)

    def _result(
        self,
        job: JobRequest,
        state: JobState,
        started: datetime,
        *,
        outcome: Outcome | None = None,
        record: JobRecord | None = None,
        error: str | None = None,
    ) -> JobResult:
        log = layout.log(self._request.datatake, job.id)
        return JobResult(
            id=job.id,
            task=job.task,
            data_id=job.data_id,
            state=state,
            exit_code=outcome.exit_code if outcome else None,
            ending=outcome.ending if outcome else None,
            warning=record.warning if record else False,
            seconds=round(outcome.seconds, 3) if outcome else 0.0,
            cpu_seconds=round(outcome.cpu_seconds, 3) if outcome else 0.0,
            peak_rss_bytes=outcome.peak_rss_bytes if outcome else 0,
            started=started,
            finished=datetime.now(UTC),
            outputs=_plain(record) if record else (),
            log=log if (outcome or record) and self._store.exists(log) else None,
            error=error,
        )


def _naming(job: JobRequest, reason: str) -> str:
    return reason if job.id in reason else f"{job.id}: {reason}"


def _plain(record: JobRecord) -> tuple[OutputFile, ...]:
    return tuple(OutputFile(path=entry.path, size=entry.size, sha256=entry.sha256) for entry in record.outputs)


def _failure(job: JobRequest, outcome: Outcome, stop_reason: str | None) -> str | None:
    """Say why an ended process failed, or return None when its exit policy accepts it."""
    name = f"{job.processor} {job.data_id}".strip()
    if outcome.ending == "timeout":
        return f"{name} was killed after {outcome.seconds:.0f} s, its limit is {job.timeout_s:g} s (and {GRACE_S:g} s)"
    if outcome.ending == "interrupted":
        return f"{name} was killed after {outcome.seconds:.0f} s: {stop_reason}"
    accepted = 128 if job.exit_policy == "idp_sc" else 1
    if outcome.exit_code < accepted:
        return None
    by_signal = f", killed by signal {outcome.signal}" if outcome.signal else ""
    return f"{name} ended with exit code {outcome.exit_code}{by_signal}"


def _with_log(reason: str, log: IO[bytes]) -> str:
    lines = tail(log)
    return f"{reason}\n{lines}" if lines else f"{reason}; its log is empty"
