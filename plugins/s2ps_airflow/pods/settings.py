"""How pods are made and watched: the variables S2PS_POD_*."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from s2ps.model.errors import ConfigurationError

PREFIX = "S2PS_POD_"


class PodSettings(BaseSettings):
    """Settings of pods; every field can be set by `S2PS_POD_<FIELD>`. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    namespace: str = "s2ps-processing"
    """Where the pods of processors run."""
    connection: str = "kubernetes_default"
    """Airflow connection to Kubernetes; when it does not exist: the service account of this pod, or KUBECONFIG."""
    service_account: str = "s2ps-processor"
    """Account of the pods; its token is not mounted."""
    template: Path | None = None
    """Pod template file for what is not set here, for example affinity or image pull secrets."""

    image: str = ""
    """Image of the processors, by digest, where the strategy names none for a cluster."""
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = "IfNotPresent"
    """When nodes fetch it."""
    image_tags: bool = False
    """Accept images named by a tag; a tag may change between two tries, so only for tests."""
    image_patience_s: float = Field(default=60, ge=0)
    """How long an image that cannot be pulled is waited for."""

    staging_claim: str = "s2ps-staging"
    """Volume claim of a staging that is a folder."""
    staging_mount: Path | None = None
    """Where that volume is mounted, here and in pods; default: at the staging folder itself."""
    staging_subpath: str = ""
    """Folder of the volume that is mounted there."""
    data_claim: str = "s2ps-data"
    """Volume claim of what is only read: auxiliary files, static data, GRI, sessions. Empty: none is mounted."""
    data_mount: Path | None = None
    """Where that volume is mounted, here and in pods. Default: its folders auxiliary, static, gri and sessions are
    mounted one by one where the settings of S2PS say they are."""
    sessions: Path | None = None
    """Folder of sessions, for the default of `data_mount`; default: S2PS_HOME/session. With stations: S2PS_SESSIONS."""
    secret: str = "s2ps-s3"  # noqa: S105 - the name of a Secret
    """Secret whose keys become environment variables of pods that use an S3 staging."""

    priority_class: str = ""
    """Priority class where the strategy names none."""
    reprocessing_priority_class: str = ""
    """Priority class of backfill runs."""
    node_selector: dict[str, str] = Field(default_factory=dict)
    """Labels of the nodes, JSON; the ones of the strategy are added and win."""
    tolerations: list[dict[str, Any]] = Field(default_factory=list)
    """As in a pod, JSON; the ones of the strategy are added."""
    user: int = Field(default=10001, ge=1)
    """User and group id in the pod."""

    cpu_request_share: float = Field(default=1.0, gt=0, le=1)
    """Part of the CPU limit that is requested; below 1 nodes are over-committed."""
    memory_request_share: float = Field(default=1.0, gt=0, le=1)
    """The same for memory."""
    disk_request_share: float = Field(default=1.0, gt=0, le=1)
    """The same for ephemeral storage."""
    memory_factor: float = Field(default=2.0, gt=1)
    """A pod that ran out of memory gets so many times more, up to the ceiling in the strategy."""

    deferrable: bool = False
    """Wait in the triggerer. With the LocalExecutor of Airflow 3.3 a task that is deferred only for seconds can be
    taken for failed, so this is for executors of a cluster, or for pods of minutes."""
    defer_at_least_s: float = Field(default=10, ge=0)
    """A deferred task is not resumed before, for the same reason."""

    poll_s: float = Field(default=1.0, gt=0)
    """How often a pod is looked at."""
    start_limit_s: float = Field(default=900, gt=0)
    """How long a pod may wait for a place, for a quota and for its volumes and image."""
    api_patience_s: float = Field(default=600, ge=0)
    """How long an API server that is away is waited for."""
    result_patience_s: float = Field(default=15, ge=0)
    """How long the result of a pod that has ended may take to appear in the staging."""
    grace_s: int = Field(default=30, ge=1)
    """Time a pod gets to end when it is deleted."""
    node_lost_s: int = Field(default=60, ge=1)
    """How long a pod stays on a node that does not answer, and how long its end may be overdue."""
    keep_failed_s: float = Field(default=3600, ge=0)
    """How long failed pods are kept for people to look at."""
    retries: int = Field(default=6, ge=0)
    """Further tries after errors that are not the processor's."""
    retry_delay_s: float = Field(default=15, ge=0)
    """Time between two tries."""
    log_lines: int = Field(default=5000, ge=1)
    """Most lines of a pod's log that are copied into the log of a deferred task."""

    @classmethod
    def load(cls) -> PodSettings:
        """Read the environment; raises ConfigurationError naming a variable that does not fit."""
        return _read(tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(PREFIX))))


@lru_cache(maxsize=8)
def _read(_variables: tuple[tuple[str, str], ...]) -> PodSettings:
    """Read the settings once per environment: DAG files ask for every node."""
    try:
        return PodSettings()
    except ValidationError as error:
        wrong = "; ".join(
            f"{PREFIX}{'_'.join(map(str, item['loc'])).upper()}={item['input']!r}: {item['msg']}"
            for item in error.errors()
        )
        raise ConfigurationError(f"settings of pods: {wrong}", next_step="correct the variable") from error
