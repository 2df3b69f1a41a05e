"""A PostgreSQL server of the tests' own: Debian's, in a folder of its own, on a free port of this machine."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

BIN = Path("/usr/lib/postgresql/15/bin")
POSTGIS = Path("/usr/share/postgresql/15/extension/postgis.control")
PACKAGES = ("postgresql-15", "postgresql-15-postgis-3")
USER = "postgres"
FAST = "fsync=off synchronous_commit=off full_page_writes=off shared_buffers=64MB max_connections=60 jit=off"


@dataclass(frozen=True)
class Server:
    """A running server; `database()` makes an empty database of its own."""

    port: int

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make a database and yield its URL."""
        name = f"s2ps_{uuid.uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name}")
        try:
            yield f"postgresql+psycopg2://{USER}@127.0.0.1:{self.port}/{name}"
        finally:
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _administer(self, statement: str) -> None:
        connection = psycopg2.connect(host="127.0.0.1", port=self.port, user=USER, dbname="postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


def require_packages() -> None:
    """Install PostgreSQL and PostGIS where root may; skip the test where they cannot be had."""
    if (BIN / "initdb").exists() and POSTGIS.exists():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"PostgreSQL 15 with PostGIS is not installed: apt-get install {' '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        ["apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES],
        env=environment, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    if done.returncode != 0 or not POSTGIS.exists():
        pytest.skip(f"{' '.join(PACKAGES)} cannot be installed: {done.stderr.strip()[-300:]}")


@contextmanager
def server(wanted: str = FAST) -> Iterator[Server]:
    """Run a server with these settings until the end; without root, as the user of the tests."""
    require_packages()
    folder = Path(tempfile.mkdtemp(prefix="s2ps-postgresql-"))
    root = os.geteuid() == 0
    account = pwd.getpwnam(USER) if root else None
    try:
        if account:
            os.chown(folder, account.pw_uid, account.pw_gid)
        _run("initdb", account, "-D", f"{folder}/data", "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = " ".join(f"-c {item}" for item in wanted.split())
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} {settings}"
        _run("pg_ctl", account, "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
        try:
            yield Server(port)
        finally:
            _run("pg_ctl", account, "-D", f"{folder}/data", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(command: str, account: pwd.struct_passwd | None, *arguments: str) -> None:
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    subprocess.run(
        [str(BIN / command), *arguments], cwd="/", check=True, timeout=120,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who,
    )  # fmt: skip


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A server for the whole run."""
    with server() as running:
        yield running
