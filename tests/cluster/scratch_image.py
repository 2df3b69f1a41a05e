"""Write a docker archive of a few static files, without a container engine: the pause image, tiny test images.

scratch_image.py ARCHIVE NAME:TAG ENTRYPOINT FILE=PATH_IN_IMAGE...
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from pathlib import Path


def _entry(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), mode
    archive.addfile(info, io.BytesIO(content))


def _layer(files: dict[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for name, source in sorted(files.items()):
            _entry(layer, name.lstrip("/"), source.read_bytes(), 0o755)
    return buffer.getvalue()


def write_image(archive: Path, name: str, entry_point: str, files: dict[str, Path]) -> None:
    """Write the archive; the same files always give the same bytes."""
    layer = _layer(files)
    identity = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": [entry_point]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{identity}"]},
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{identity}.tar"]}]
    with tarfile.open(archive, "w") as image:
        _entry(image, config_name, config)
        _entry(image, f"{identity}.tar", layer)
        _entry(image, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    pairs = (argument.split("=", 1) for argument in sys.argv[4:])
    write_image(Path(sys.argv[1]), sys.argv[2], sys.argv[3], {inside: Path(source) for source, inside in pairs})
