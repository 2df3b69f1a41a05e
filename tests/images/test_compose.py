"""`docker compose up` on a Docker engine of its own: a session becomes published products, and nothing stays."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipf_adapters.images.build import Workshop
from ipf_adapters.images.compose import IMAGES, load, write_environment
from ipf_adapters.images.debian import need
from ipf_adapters.images.recipe import PROJECT

pytestmark = pytest.mark.images
HERE = Path(__file__).parent
SCALE = 30
LIMIT = 2400
PROJECT_NAME = "s2pstest"


@dataclass(frozen=True)
class Service:
    """The service under docker-compose in a Docker engine that only the tests use."""

    folder: Path

    @property
    def environment_file(self) -> Path:
        return self.folder.parent / f"{self.folder.name}.env"

    @property
    def secrets(self) -> dict[str, str]:
        lines = self.environment_file.read_text().splitlines()
        return {name: value for name, _, value in (line.partition("=") for line in lines)}

    def command(self, *arguments: str, check: bool = True, limit: float = LIMIT) -> str:
        """Run a command that speaks to this engine; return what it printed."""
        environment = {**os.environ, "DOCKER_HOST": f"unix://{self.folder}/docker.sock", "COMPOSE_HTTP_TIMEOUT": "300"}
        done = subprocess.run(
            arguments, env=environment, capture_output=True, text=True, timeout=limit, check=False, cwd=PROJECT
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-6000:]}{done.stderr[-6000:]}"
        return done.stdout

    def compose(self, *arguments: str, check: bool = True) -> str:
        options = ["--project-name", PROJECT_NAME, "--env-file", str(self.environment_file)]
        return self.command("docker-compose", *options, *arguments, check=check)

    def inside(self, *arguments: str) -> str:
        """Run a command in the engine's network, where the published ports are."""
        return self.command(str(HERE / "docker_engine.bash"), "inside", str(self.folder), *arguments)

    def found(self, condition: str) -> list[str]:
        """Return the names of the products the web service finds."""
        query = ["--get", "--data-urlencode", f"$filter={condition}", "http://127.0.0.1:8082/odata/v1/Products"]
        return [item["Name"] for item in json.loads(self.inside("curl", "--silent", "--fail", *query))["value"]]

    def listing(self, path: str) -> list[str]:
        """Return the names a page of the publication server shows."""
        page = self.inside("curl", "--silent", "--fail", f"http://127.0.0.1:8081/{path}")
        return [name.rstrip("/") for name in re.findall(r'<a href="([^"]+)">', page) if name != "../"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    for program, package in (("dockerd", "docker.io"), ("docker-compose", "docker-compose"), ("curl", "curl")):
        need(program, package)
    workshop = Workshop.of_environment()
    for name in IMAGES:
        workshop.build(name)
    started = Service(tmp_path_factory.mktemp("docker") / "engine")
    engine = str(HERE / "docker_engine.bash")
    try:
        started.command(engine, "up", str(started.folder))
        os.environ["DOCKER_HOST"] = f"unix://{started.folder}/docker.sock"
        load(workshop.output)
        write_environment(started.environment_file)
        yield started
    finally:
        os.environ.pop("DOCKER_HOST", None)
        started.compose("down", "--volumes", "--timeout", "10", check=False)
        started.command(engine, "down", str(started.folder))
    assert_nothing_is_left(started.folder)


def assert_nothing_is_left(folder: Path) -> None:
    assert not folder.exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/s2ps-docker-{folder.name}*"))
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert str(folder).encode() not in process.read_bytes(), process
        except (FileNotFoundError, ProcessLookupError):
            continue


def test_a_session_becomes_products_and_nothing_stays(service: Service) -> None:
    service.compose("up", "--detach")
    service.compose("exec", "-T", "scheduler", "s2ps", "simulate", "--scale", str(SCALE))
    (session,) = service.compose("exec", "-T", "scheduler", "ls", "/var/lib/s2ps/session").split()
    wait_healthy = (
        "until python3 /opt/s2ps/health.py scheduler && python3 /opt/s2ps/health.py dag_processor; do sleep 1; done"
    )
    service.compose("exec", "-T", "scheduler", "timeout", "300", "bash", "-c", wait_healthy)
    password = service.secrets["S2PS_ADMIN_PASSWORD"]
    folder = f"/var/lib/s2ps/session/{session}"
    follow = [sys.executable, str(HERE / "follow.py"), "http://127.0.0.1:8080", password, folder, str(LIMIT - 300)]
    states = json.loads(service.inside("env", f"PYTHONPATH={PROJECT}/src", *follow))
    assert set(states.values()) == {"success"}, states
    tiles = {name.split("_")[5] for name in service.listing("L1C/")}
    assert len(tiles) >= 4
    assert {name.split("_")[5] for name in service.listing("L2A/")} == tiles
    manifest = service.inside(
        "curl", "--silent", "--fail", f"http://127.0.0.1:8081/L2A/{service.listing('L2A/')[0]}/manifest.safe"
    )
    assert "xfdu:XFDU" in manifest
    for level in ("L1C", "L2A"):
        assert len(service.found(f"startswith(Name,'S2B_MSI{level}_')")) == len(tiles)


def test_processes_are_not_root_and_secrets_are_in_no_log(service: Service) -> None:
    names = service.command("docker", "ps", "--format", "{{.Names}}").split()
    assert len(names) == 8
    for name in names:
        _, *processes = service.command("docker", "top", name, "-eo", "pid,uid").splitlines()
        assert {line.split()[1] for line in processes} == {"10001"}, name
    logs = service.compose("logs", "--no-color")
    secrets = {name: value for name, value in service.secrets.items() if name != "S2PS_VERSION"}
    assert not [name for name, value in secrets.items() if value in logs]


def test_products_cannot_be_changed_from_outside(service: Service) -> None:
    code = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
    assert service.inside(*code, "--request", "PUT", "--data", "x", "http://127.0.0.1:8081/L1C/x") in ("403", "405")
    assert service.inside(*code, "http://127.0.0.1:8081/L1C/a.partial-1/x") == "404"


def test_it_goes_on_after_a_stop_of_everything(service: Service) -> None:
    before = service.listing("L2A/")
    service.compose("stop", "--timeout", "30")
    service.compose("up", "--detach")
    assert service.listing("L2A/") == before
    find = "import boto3; c = boto3.client('s3', endpoint_url='http://store:7480'); "
    find += "print(c.list_objects_v2(Bucket='s2ps')['KeyCount'])"
    assert int(service.compose("exec", "-T", "scheduler", "python3", "-c", find)) > 10


def test_down_leaves_no_container_network_or_volume(service: Service) -> None:
    service.compose("down", "--volumes", "--timeout", "10")
    assert service.command("docker", "ps", "--all", "--quiet") == ""
    assert service.command("docker", "volume", "ls", "--quiet") == ""
    assert set(service.command("docker", "network", "ls", "--format", "{{.Name}}").split()) == {
        "bridge",
        "host",
        "none",
    }
