"""What is in an image made elsewhere: its digest and packages, read from an OCI archive."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from ipf_adapters.images import debian
from ipf_adapters.images.archive import Built
from ipf_adapters.images.blobs import Component

_STATUS = "var/lib/dpkg/status"
_REMOVED = ".wh."


@dataclass(frozen=True, slots=True)
class Inspected:
    """An image and its packages."""

    built: Built
    created: datetime
    components: tuple[Component, ...]


def inspect(path: Path, tag: str | None = None) -> Inspected:
    """Read an OCI archive (`podman save --format oci-archive`); raises ValueError when it is none."""
    with tarfile.open(path) as archive:
        members = {entry.name.removeprefix("./"): entry for entry in archive}
        if "index.json" not in members:
            raise ValueError(f"{path} is no OCI archive: write it with `podman save --format oci-archive`")
        entry = _document(archive, members, "index.json")["manifests"][0]
        manifest = _document(archive, members, _blob(entry["digest"]))
        configuration = _document(archive, members, _blob(manifest["config"]["digest"]))
        found: dict[str, tuple[Component, ...]] = {}
        for layer in manifest["layers"]:
            content = archive.extractfile(members[_blob(layer["digest"])])
            if content is not None:
                _read_layer(io.BytesIO(content.read()), found)
    name = tag or entry.get("annotations", {}).get("org.opencontainers.image.ref.name", "")
    if ":" not in name.rpartition("/")[2]:
        raise ValueError(f"{path} does not tell the name of its image: give NAME:VERSION")
    created = datetime.fromisoformat(str(configuration["created"]).replace("Z", "+00:00")[:19]).replace(tzinfo=UTC)
    components = sorted({component for packages in found.values() for component in packages})
    return Inspected(Built(name, entry["digest"], manifest["config"]["digest"]), created, tuple(components))


def _read_layer(content: io.BytesIO, found: dict[str, tuple[Component, ...]]) -> None:
    """Note the packages of a layer: path of their description -> what it describes; later layers win."""
    with tarfile.open(fileobj=content) as layer:
        for entry in layer:
            name = entry.name.removeprefix("./")
            folder, _, file = name.rpartition("/")
            if file.startswith(_REMOVED):
                gone = f"{folder}/{file.removeprefix(_REMOVED)}"
                for path in [path for path in found if path == gone or path.startswith(f"{gone}/")]:
                    del found[path]
            elif entry.isreg() and name == _STATUS:
                found[name] = debian.installed(_text(layer, entry))
            elif entry.isreg() and name.endswith(".dist-info/METADATA"):
                fields = HeaderParser().parsestr(_text(layer, entry))
                licence = fields.get("License-Expression") or ""
                found[name] = (Component("pypi", fields["Name"], fields["Version"], licence),)


def _text(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> str:
    content = archive.extractfile(entry)
    return content.read().decode(errors="replace") if content is not None else ""


def _document(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], name: str) -> dict[str, Any]:
    return dict(json.loads(_text(archive, members[name])))


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
