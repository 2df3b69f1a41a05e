"""The environment variables of an embedded Airflow, and the secrets it keeps between starts."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from s2ps.model.errors import ConfigurationError

USER = "admin"
DATABASE = "airflow.db"
DATABASE_PATIENCE_S = 60
"""How long a component waits for another one that writes; a scheduler that does not wait ends."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the components of one installation share."""

    password: str
    jwt: str
    session: str
    fernet: str

    @classmethod
    def make(cls) -> Self:
        """Return new random secrets."""
        fernet = base64.urlsafe_b64encode(os.urandom(32)).decode()
        return cls(secrets.token_urlsafe(9), secrets.token_urlsafe(48), secrets.token_urlsafe(32), fernet)

    @classmethod
    def keep(cls, path: Path) -> Self:
        """Read the secrets of earlier starts, or make and store them, readable by the owner only."""
        if path.is_file():
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        made = cls.make()
        write_private(path, json.dumps(asdict(made), indent=1))
        return made


@dataclass(frozen=True, slots=True)
class Project:
    """Where the DAG files, plugins and start-up modules are."""

    root: Path

    @classmethod
    def locate(cls, root: Path | None = None) -> Self:
        """Return the project folder: the one given, S2PS_PROJECT, or the checkout this package is in."""
        named = os.environ.get("S2PS_PROJECT")
        found = root or (Path(named) if named else Path(__file__).resolve().parents[3])
        if not (found / "dags").is_dir() or not (found / "plugins" / "s2ps_plugin.py").is_file():
            raise ConfigurationError(
                f"{found} is no S2PS checkout",
                expected="folders dags/ and plugins/ in it",
                next_step="run from a checkout, or set S2PS_PROJECT to its folder",
            )
        return cls(found.resolve())

    @property
    def python_path(self) -> list[str]:
        """Return the folders Airflow's processes import from."""
        return [str(self.root / part) for part in ("config/airflow", "plugins", "src", "")]


def keep_private(home: Path) -> None:
    """Make the folder of an installation and close it, and the database of an earlier start, to other users."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    for path in home.glob(f"{DATABASE}*"):
        path.chmod(0o600)


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)


def parallel_tasks(cores: int) -> int:
    """Return how many tasks may run at the same time: one per core and one that plans or publishes, sixteen at most.

    The default pool gets as many slots: without it every ready task is queued at once, first come first served, and
    a tile that is ready for publication waits for all tiles.

    More would only make the tiles slower side by side: the first one would come later.
    """
    return max(3, min(16, cores + 1))


def variables(home: Path, project: Project, port: int, kept: Secrets, cores: int) -> dict[str, str]:
    """Return the variables that configure every component; values measured on two cores."""
    passwords = home / "passwords.json"
    url = f"http://127.0.0.1:{port}"
    python_path = [*project.python_path, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(python_path),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
        "AIRFLOW__CORE__DAGS_FOLDER": str(project.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(project.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(parallel_tasks(cores)),
        "AIRFLOW__CORE__DEFAULT_POOL_TASK_SLOT_COUNT": str(parallel_tasks(cores)),
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "256",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__FERNET_KEY": kept.fernet,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / DATABASE}?timeout={DATABASE_PATIENCE_S}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": kept.session,
        "AIRFLOW__API_AUTH__JWT_SECRET": kept.jwt,
        "AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME": "86400",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "20",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs" / "tasks"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
