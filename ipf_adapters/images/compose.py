"""Make ready for `docker compose up`: `python -m ipf_adapters.images.compose env|load`.

`env` writes the file .env beside docker-compose.yml with new random secrets, readable by the owner only; what the file
has already is kept. `load` brings the images into the Docker engine that DOCKER_HOST names, if they are not there.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ipf_adapters.images.build import INDEX, VERSION, Workshop
from ipf_adapters.images.recipe import PROJECT

IMAGES = ("postgres", "store", "service", "publication")
_LIMIT_S = 1800


def new_values() -> dict[str, str]:
    """Return a value for every variable docker-compose.yml needs; the secrets are random."""
    return {
        "S2PS_VERSION": VERSION,
        "S2PS_ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "S2PS_S3_ACCESS_KEY": secrets.token_hex(10).upper(),
        "S2PS_S3_SECRET_KEY": secrets.token_hex(20),
        "AIRFLOW_FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW_JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW_SESSION_KEY": secrets.token_urlsafe(32),
    }


def write_environment(path: Path) -> list[str]:
    """Add to an environment file (mode 600) what it lacks; return the names. The version is always set anew."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    lines = [line for line in lines if not line.startswith("S2PS_VERSION=")]
    known = {line.partition("=")[0] for line in lines}
    added = {name: value for name, value in new_values().items() if name not in known}
    text = "\n".join([*lines, *(f"{name}={value}" for name, value in added.items())]) + "\n"
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    partial.rename(path)
    return sorted(added)


def load(folder: Path) -> list[str]:
    """Load the images that the Docker engine does not have; return their names."""
    index = folder / INDEX
    known = dict(json.loads(index.read_text(encoding="utf-8"))) if index.is_file() else {}
    missing = [name for name in IMAGES if name not in known]
    if missing:
        raise FileNotFoundError(f"{index} has no image {' and '.join(missing)}: run `make images`")
    loaded = []
    for name in IMAGES:
        entry = known[name]
        found = _docker("image", "inspect", "--format", "{{.Id}}", entry["tag"])
        if found.stdout.strip() != entry["id"]:
            done = _docker("load", "--quiet", "--input", entry["archive"])
            if done.returncode:
                raise RuntimeError(f"docker load {entry['archive']}: {done.stderr.strip()}")
            loaded.append(name)
    return loaded


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the environment file or load the images; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ipf_adapters.images.compose", description="Ready for Docker.")
    parser.add_argument("action", choices=("env", "load"))
    parser.add_argument("--file", type=Path, default=PROJECT / ".env", help="environment file (default .env)")
    options = parser.parse_args(arguments)
    try:
        if options.action == "env":
            added = write_environment(options.file)
            print(f"{options.file}: {', '.join(added)} written")
        else:
            print(f"loaded: {', '.join(load(Workshop.of_environment().output)) or 'nothing, all images are there'}")
    except (OSError, RuntimeError) as error:
        print(f"compose: {error}", file=sys.stderr)
        return 1
    return 0


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=_LIMIT_S, check=False)


if __name__ == "__main__":
    sys.exit(main())
