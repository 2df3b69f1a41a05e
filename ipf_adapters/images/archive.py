"""One archive that podman, containerd (OCI layout) and the Docker engine (`docker load`) all read."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ipf_adapters.images.blobs import Layer
from ipf_adapters.images.recipe import ImageRecipe

_OCI = "application/vnd.oci.image"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True, slots=True)
class Built:
    """An image as written."""

    tag: str
    """localhost/s2ps/<name>:<version>."""
    digest: str
    """Of its manifest, "sha256:...": the same wherever the archive is loaded."""
    identity: str
    """Of its configuration, "sha256:...": what Docker calls the image id."""


def write_archive(path: Path, tag: str, recipe: ImageRecipe, layers: Sequence[Layer]) -> Built:
    """Write an image as archive, whole or not at all."""
    configuration = _json(_configuration(tag, recipe, layers))
    manifest = _json(_manifest(configuration, layers))
    index = _json(_index(tag, manifest, layers))
    documents = {
        _blob(_sha(configuration)): configuration,
        _blob(_sha(manifest)): manifest,
        "index.json": index,
        "manifest.json": _json(_docker(tag, configuration, layers)),
        "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
    }
    partial = path.with_name(f".{path.name}.partial")
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(documents.items()):
            archive.addfile(_entry(name, len(content)), io.BytesIO(content))
        for layer in {layer.digest: layer for layer in layers}.values():
            with layer.blob.open("rb") as stream:
                archive.addfile(_entry(_blob(layer.digest), layer.size), stream)
    partial.rename(path)
    return Built(tag, f"sha256:{_sha(manifest)}", f"sha256:{_sha(configuration)}")


def moment(layers: Sequence[Layer]) -> datetime:
    """Return the time of the youngest layer."""
    return datetime.fromtimestamp(max(layer.epoch for layer in layers), UTC)


def _configuration(tag: str, recipe: ImageRecipe, layers: Sequence[Layer]) -> dict[str, object]:
    created = moment(layers).isoformat()
    version = tag.rpartition(":")[2]
    start = {
        "User": recipe.user,
        "Env": [f"{name}={value}" for name, value in recipe.environment.items()],
        "Entrypoint": list(recipe.entrypoint) or None,
        "Cmd": list(recipe.command) or None,
        "WorkingDir": recipe.folder,
        "Labels": {
            "org.opencontainers.image.title": recipe.title,
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
    }
    history = [
        {"created": datetime.fromtimestamp(layer.epoch, UTC).isoformat(), "created_by": f"s2ps: {kind}"}
        for kind, layer in zip(recipe.kinds, layers, strict=True)
    ]
    return {
        "created": created,
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {name: value for name, value in start.items() if value is not None},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.diff_id}" for layer in layers]},
        "history": history,
    }


def _manifest(configuration: bytes, layers: Sequence[Layer]) -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.manifest.v1+json",
        "config": _descriptor("config.v1+json", _sha(configuration), len(configuration)),
        "layers": [_descriptor("layer.v1.tar+gzip", layer.digest, layer.size) for layer in layers],
    }


def _index(tag: str, manifest: bytes, layers: Sequence[Layer]) -> dict[str, object]:
    names = {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": tag}
    names["org.opencontainers.image.created"] = moment(layers).isoformat()
    entry = {**_descriptor("manifest.v1+json", _sha(manifest), len(manifest)), "annotations": names}
    return {"schemaVersion": 2, "mediaType": f"{_OCI}.index.v1+json", "manifests": [entry]}


def _docker(tag: str, configuration: bytes, layers: Sequence[Layer]) -> list[dict[str, object]]:
    paths = [_blob(layer.digest) for layer in layers]
    return [{"Config": _blob(_sha(configuration)), "RepoTags": [tag], "Layers": paths}]


def _descriptor(kind: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": f"{_OCI}.{kind}", "digest": f"sha256:{digest}", "size": size}


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
