"""Environment and secrets of the embedded Airflow."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from s2ps.embedded.environment import Project, Secrets, keep_private, parallel_tasks, variables
from s2ps.model.errors import ConfigurationError

pytestmark = pytest.mark.unit
ROOT = Path(__file__).resolve().parents[3]


def test_secrets_are_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = Secrets.keep(path)
    assert Secrets.keep(path) == first
    assert Secrets.make() != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(first.fernet)) == 32


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"is no S2PS checkout; expected: folders dags/ and plugins/"):
        Project.locate(tmp_path)
    assert Project.locate(ROOT).root == ROOT


def test_every_component_gets_the_same_keys_and_address(tmp_path: Path) -> None:
    kept = Secrets.make()
    made = variables(tmp_path, Project.locate(ROOT), 8123, kept, cores=2)
    assert made["AIRFLOW_HOME"] == str(tmp_path)
    assert made["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8123/execution/"
    assert made["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert made["AIRFLOW__API_AUTH__JWT_SECRET"] == kept.jwt
    assert made["AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"] == "0.2"
    assert made["PYTHONPATH"].split(":")[0] == str(ROOT / "config" / "airflow")
    assert all(isinstance(value, str) for value in made.values())


@pytest.mark.parametrize(("cores", "tasks"), [(1, 3), (2, 3), (4, 5), (64, 16)])
def test_tasks_follow_the_cores(cores: int, tasks: int) -> None:
    assert parallel_tasks(cores) == tasks


def test_the_folder_and_an_older_database_are_closed_to_others(tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    keep_private(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    home.chmod(0o755)
    for name in ("airflow.db", "airflow.db-wal"):
        (home / name).touch(0o644)
    keep_private(home)
    assert {stat.S_IMODE(path.stat().st_mode) for path in [home, *home.iterdir()]} == {0o700, 0o600}
