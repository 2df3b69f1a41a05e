"""Images as `make images` builds them, and a podman with a store of its own that vanishes afterwards."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipf_adapters.images.build import Workshop
from ipf_adapters.images.debian import need

LIMIT = 1800


@dataclass(frozen=True)
class Engine:
    """podman and buildah over one private store."""

    folder: Path

    def __call__(
        self, *arguments: str, check: bool = True, program: str = "podman"
    ) -> subprocess.CompletedProcess[str]:
        places = ["--root", str(self.folder / "root"), "--runroot", str(self.folder / "run")]
        done = subprocess.run(
            [program, *places, *arguments],
            env={**os.environ, "CONTAINERS_CONF": str(self.folder / "containers.conf")},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert not check or done.returncode == 0, f"{program} {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def run(self, image: str, *arguments: str, mounts: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> str:
        """Run a container as a pod of ours runs: not root, nothing writable but /tmp; return what it said."""
        return self.attempt(image, *arguments, mounts=mounts, options=options, check=True).stdout

    def attempt(
        self,
        image: str,
        *arguments: str,
        mounts: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
        check: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a container and return how it ended."""
        hardened = ["--rm", "--read-only", "--read-only-tmpfs=false", "--tmpfs", "/tmp:rw,mode=1777", "--network=none"]
        hardened += ["--cap-drop=all", "--security-opt=no-new-privileges", "--user=10001:10001"]
        bound = [f"--volume={mount}" for mount in mounts]
        return self("run", *hardened, *bound, *options, image, *arguments, check=check)


@pytest.fixture(scope="session")
def images() -> dict[str, dict[str, str]]:
    """Build the images of processors and return their entries of images.json."""
    workshop = Workshop.of_environment()
    for name in ("base", "reference"):
        workshop.build(name)
    return dict(json.loads((workshop.output / "images.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    for program in ("podman", "buildah", "runc"):
        need(program, program)
    made = Engine(tmp_path_factory.mktemp("engine"))
    (made.folder / "containers.conf").write_text(
        '[containers]\ndefault_ulimits=["nofile=20000:20000","nproc=32768:32768"]\n[engine]\nruntime="runc"\n'
    )
    yield made
    made("rmi", "--all", "--force", check=False)
    mounted = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for place in sorted((place for place in mounted if place.startswith(str(made.folder))), reverse=True):
        subprocess.run(["umount", place], check=True)
    shutil.rmtree(made.folder)
