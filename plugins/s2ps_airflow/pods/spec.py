"""The pod of a cluster: a pure function of request, resources and settings, so that people can read what will run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubernetes.client import models as k8s

from s2ps.execution.request import ClusterRequest
from s2ps.model.errors import ConfigurationError
from s2ps.planning.strategy import ClusterSpec, Toleration
from s2ps.settings import Settings
from s2ps.staging import layout
from s2ps_airflow.pods.labels import Identity
from s2ps_airflow.pods.settings import PodSettings
from s2ps_airflow.pods.view import CONTAINER

SCRATCH = "/tmp"  # noqa: S108 - inside the pod, where it is an empty volume
STAGING, DATA, TEMPORARY = "staging", "data", "scratch"
ATTEMPT = "S2PS_ATTEMPT"
NODE_TAINTS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: one cluster, what it may use, and how it is told from others."""

    request: ClusterRequest
    cluster: ClusterSpec
    identity: Identity
    memory_gb: float
    """Memory of this try, at least that of the strategy."""
    reprocessing: bool = False


def build_pod(order: Order, number: int, settings: Settings, pods: PodSettings) -> k8s.V1Pod:
    """Return the pod with a number that runs a cluster; raises ConfigurationError when a setting is missing."""
    return k8s.V1Pod(
        api_version="v1",
        kind="Pod",
        metadata=k8s.V1ObjectMeta(
            name=order.identity.pod_name(number),
            namespace=pods.namespace,
            labels=order.identity.labels(number),
            annotations={"s2ps/cluster": order.request.cluster_id, "s2ps/request": _request_key(order.request)},
        ),
        spec=k8s.V1PodSpec(
            containers=[_container(order, settings, pods)],
            volumes=_volumes(order, settings, pods),
            restart_policy="Never",
            active_deadline_seconds=_deadline(order, pods),
            termination_grace_period_seconds=pods.grace_s,
            service_account_name=pods.service_account or None,
            automount_service_account_token=False,
            enable_service_links=False,
            node_selector={**pods.node_selector, **order.cluster.pod.node_selector} or None,
            tolerations=_tolerations(order, pods),
            priority_class_name=_priority(order, pods) or None,
            security_context=k8s.V1PodSecurityContext(
                run_as_non_root=True,
                run_as_user=pods.user,
                run_as_group=pods.user,
                seccomp_profile=k8s.V1SeccompProfile(type="RuntimeDefault"),
            ),
        ),
    )


def harden(pod: k8s.V1Pod) -> k8s.V1Pod:
    """Put back what a pod template must not loosen, and take ours where it has a volume or mount of the same name."""
    spec = pod.spec
    spec.volumes = list({volume.name: volume for volume in spec.volumes}.values())
    spec.automount_service_account_token = False
    spec.enable_service_links = False
    spec.restart_policy = "Never"
    spec.host_network = spec.host_pid = spec.host_ipc = None
    for container in spec.containers:
        container.security_context = _security()
        container.volume_mounts = list({mount.mount_path: mount for mount in container.volume_mounts or ()}.values())
    return pod


def image_of(order: Order, pods: PodSettings) -> str:
    """Return the image of a cluster; raises ConfigurationError when there is none, or none with a digest."""
    image = order.cluster.pod.image or pods.image
    if image and ("@sha256:" in image or pods.image_tags):
        return image
    raise ConfigurationError(
        f"cluster {order.cluster.name}: its image {image!r} has no digest"
        if image
        else f"cluster {order.cluster.name} has no image",
        expected="name@sha256:... in S2PS_POD_IMAGE or in the strategy (pod.image)",
        next_step="run `make images` and take the reference from images.json",
    )


def _request_key(request: ClusterRequest) -> str:
    return layout.request(request.run_id, request.cluster_id)


def _container(order: Order, settings: Settings, pods: PodSettings) -> k8s.V1Container:
    secrets = [pods.secret] if settings.staging_folder is None and pods.secret else []
    return k8s.V1Container(
        name=CONTAINER,
        image=image_of(order, pods),
        image_pull_policy=pods.image_pull_policy,
        args=[_request_key(order.request), "--staging", settings.staging_uri],
        env=[
            k8s.V1EnvVar(
                name=ATTEMPT,
                value_from=k8s.V1EnvVarSource(field_ref=k8s.V1ObjectFieldSelector(field_path="metadata.uid")),
            ),
            k8s.V1EnvVar(name="HOME", value=SCRATCH),
            k8s.V1EnvVar(name="TMPDIR", value=SCRATCH),
        ],
        env_from=[k8s.V1EnvFromSource(secret_ref=k8s.V1SecretEnvSource(name=name)) for name in secrets] or None,
        resources=_resources(order, pods),
        volume_mounts=_mounts(settings, pods),
        security_context=_security(),
        termination_message_policy="FallbackToLogsOnError",
    )


def _security() -> k8s.V1SecurityContext:
    return k8s.V1SecurityContext(
        allow_privilege_escalation=False,
        privileged=False,
        read_only_root_filesystem=True,
        run_as_non_root=True,
        capabilities=k8s.V1Capabilities(drop=["ALL"]),
    )


def _resources(order: Order, pods: PodSettings) -> k8s.V1ResourceRequirements:
    asked = order.cluster.resources
    return k8s.V1ResourceRequirements(
        limits={
            "cpu": f"{round(asked.cpu * 1000)}m",
            "memory": _megabytes(order.memory_gb),
            "ephemeral-storage": _megabytes(asked.disk_gb),
        },
        requests={
            "cpu": f"{max(1, round(asked.cpu * pods.cpu_request_share * 1000))}m",
            "memory": _megabytes(order.memory_gb * pods.memory_request_share),
            "ephemeral-storage": _megabytes(asked.disk_gb * pods.disk_request_share),
        },
    )


def _megabytes(gigabytes: float) -> str:
    return f"{max(1, round(gigabytes * 1000))}M"


def _deadline(order: Order, pods: PodSettings) -> int:
    """Later than the limit of the cluster, which the runner keeps itself and says why."""
    limit = order.request.timeout_s or float(order.cluster.resources.time_s)
    return round(limit + pods.start_limit_s + pods.grace_s)


def _tolerations(order: Order, pods: PodSettings) -> list[k8s.V1Toleration]:
    """A pod leaves a node that does not answer sooner than by default."""
    own = [k8s.V1Toleration(**_snake(entry)) for entry in pods.tolerations]
    own += [_toleration(entry) for entry in order.cluster.pod.tolerations]
    given = {entry.key for entry in own}
    leave = [
        k8s.V1Toleration(key=key, operator="Exists", effect="NoExecute", toleration_seconds=pods.node_lost_s)
        for key in NODE_TAINTS
        if key not in given
    ]
    return own + leave


def _toleration(entry: Toleration) -> k8s.V1Toleration:
    return k8s.V1Toleration(
        key=entry.key,
        operator=entry.operator,
        value=entry.value,
        effect=entry.effect,
        toleration_seconds=entry.seconds,
    )


def _snake(entry: dict[str, Any]) -> dict[str, Any]:
    names = {"tolerationSeconds": "toleration_seconds"}
    return {names.get(key, key): value for key, value in entry.items()}


def _priority(order: Order, pods: PodSettings) -> str:
    if order.cluster.pod.priority_class:
        return order.cluster.pod.priority_class
    return (order.reprocessing and pods.reprocessing_priority_class) or pods.priority_class


def _volumes(order: Order, settings: Settings, pods: PodSettings) -> list[k8s.V1Volume]:
    size = _megabytes(order.cluster.resources.disk_gb)
    volumes = [k8s.V1Volume(name=TEMPORARY, empty_dir=k8s.V1EmptyDirVolumeSource(size_limit=size))]
    if settings.staging_folder is not None:
        volumes.append(_claimed(STAGING, pods.staging_claim, read_only=False))
    if pods.data_claim:
        volumes.append(_claimed(DATA, pods.data_claim, read_only=True))
    return volumes


def _claimed(name: str, claim: str, *, read_only: bool) -> k8s.V1Volume:
    source = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=claim, read_only=read_only or None)
    return k8s.V1Volume(name=name, persistent_volume_claim=source)


def _mounts(settings: Settings, pods: PodSettings) -> list[k8s.V1VolumeMount]:
    mounts = [k8s.V1VolumeMount(name=TEMPORARY, mount_path=SCRATCH)]
    if settings.staging_folder is not None:
        place = pods.staging_mount or settings.staging_folder
        if not settings.staging_folder.is_relative_to(place):
            raise ConfigurationError(
                f"staging {settings.staging_folder} is not below {place}, where pods have its volume",
                next_step="correct S2PS_POD_STAGING_MOUNT or S2PS_STAGING",
            )
        mounts.append(k8s.V1VolumeMount(name=STAGING, mount_path=str(place), sub_path=pods.staging_subpath or None))
    return mounts + (_data_mounts(settings, pods) if pods.data_claim else [])


def _data_mounts(settings: Settings, pods: PodSettings) -> list[k8s.V1VolumeMount]:
    if pods.data_mount is not None:
        return [k8s.V1VolumeMount(name=DATA, mount_path=str(pods.data_mount), read_only=True)]
    folders: dict[str, Path] = {name: settings.place(name) for name in ("auxiliary", "static", "gri")}
    folders["sessions"] = pods.sessions or settings.place("home") / "session"
    return [
        k8s.V1VolumeMount(name=DATA, mount_path=str(folder), sub_path=name, read_only=True)
        for name, folder in folders.items()
    ]
