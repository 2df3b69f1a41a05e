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
from ipf_adapters.runner.outputs import VerifyMode, collect, lost, part_of, record_of, recorded, write_record
from ipf_adapters.runner.scratch import Scratch, scratch_types, select
from ipf_adapters.runner.stop import Stop
from ipf_adapters.runner.stores import Stores
from ipf_adapters.runner.uses import Uses
from ipf_adapters.runner.workspace import Workspace, environment_of, make_workspace, tail
from s2ps.execution.request import ClusterRequest, JobRequest
from s2ps.execution.result import JobRecord, JobResult, JobState, OutputFile
from s2ps.model.errors import S2psError, is_temporary
from s2ps.staging import layout
from s2ps.staging.store import StagingStore


class JobRunner:
    """Runs the jobs of one cluster, each from the thread that asks for it."""

    def __init__(self, store: StagingStore, request: ClusterRequest, stop: Stop, verify: VerifyMode = "quick") -> None:
        self._stores = Stores(store, request)
        self._store = store
        self._outputs = self._stores.outputs
        self._uses = Uses(request)
        self._scratch = Scratch()
        self._request = request
        self._stop = stop
        self._verify: VerifyMode = verify
        self._inputs = InputResolver(self._stores, self._scratch, request.datatake)
        self._failed_folders = FailedFolders(self._outputs, request.datatake)
        self._selection = select(request, lambda job: self._finished(job) is not None)

    def close(self) -> None:
        """Remove what was only here."""
        self._scratch.close()

    def run(self, job: JobRequest) -> JobResult:
        """Run a job, or take its finished result; every failure ends in the returned result."""
        try:
            return self._run(job)
        finally:
            for uri, key in self._uses.ended(job):
                self._stores.of(uri).release(key)
                self._scratch.release(key)

    def _run(self, job: JobRequest) -> JobResult:
        started = datetime.now(UTC)
        try:
            if job.id in self._selection.spared:
                return self._result(job, "reused", started)
            record = None if job.id in self._selection.again else self._earlier(job)
            if record is not None:
                return self._result(job, "reused", started, record=record)
            command = executable_of(job)
            inputs = self._inputs.resolve(job)
            workspace = make_workspace(self._outputs, self._scratch, self._request, job, inputs)
        except (S2psError, OSError) as error:
            return self._result(job, "failed", started, error=_naming(job, str(self._noted(error))))
        try:
            return self._attempt(job, command, workspace, started)
        finally:
            if workspace.folder.exists():
                self._outputs.discard(workspace.folder)

    def _earlier(self, job: JobRequest) -> JobRecord | None:
        """Return the record of a job that is finished; remove what another plan has left in its place."""
        key = layout.job(self._request.datatake, job.id)
        if not self._outputs.exists(key):
            return None
        record = self._finished(job)
        if record is None:
            self._outputs.delete(key)
        return record

    def _finished(self, job: JobRequest) -> JobRecord | None:
        key = layout.job(self._request.datatake, job.id)
        if not job.key or not self._outputs.exists(key):
            return None
        record = recorded(self._outputs, key)
        if record is None or record.key != job.key or lost(self._outputs, key, record, self._verify) is not None:
            return None
        there = all(output.scratch or output.type in record.types for output in job.outputs)
        return record if there else None

    def _noted(self, error: S2psError | OSError) -> Exception:
        """Return the error in plain words; stop the cluster when it will pass, since other jobs would meet it too."""
        plain = full_by_error(error, written_places(self._store, self._outputs)) or error
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
            self._scratch.hand_over(workspace.folder)
            error = f"{error}\n({self._failed_folders.keep(job.id, workspace.folder)})"
        return self._result(job, "failed", started, outcome=outcome, error=error)

    def _commit(self, job: JobRequest, workspace: Workspace, outcome: Outcome, started: datetime) -> JobResult:
        workspace.clear()
        key, here = layout.job(self._request.datatake, job.id), scratch_types(job)
        whole = record_of(job, collect(workspace.folder, job), warning=outcome.exit_code != 0)
        if here:
            self._scratch.keep(key, workspace.folder, part_of(whole, here))
        leaving = part_of(whole, set(whole.types) - here)
        if not leaving.types and here:
            self._failed_folders.forget(job.id)
            return self._result(job, "done", started, outcome=outcome, record=whole)
        write_record(workspace.folder, leaving)
        if self._outputs.commit(workspace.folder, key):
            self._failed_folders.forget(job.id)
            return self._result(job, "done", started, outcome=outcome, record=whole)
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
