"""What a processor sees of the environment it is started in."""

from __future__ import annotations

from pathlib import Path

import pytest
from contract.clusters import Workbench

from ipf_adapters.runner.workspace import Workspace, environment_of

pytestmark = pytest.mark.unit


def test_processors_see_no_secrets_and_one_thread(tmp_path: Path) -> None:
    job = Workbench(tmp_path).job("a", environment={"S2PS_FAULT": "slow:1"})
    inherited = {
        "PATH": "/bin", "OMP_NUM_THREADS": "4", "AIRFLOW__CORE__FERNET_KEY": "x", "MY_DB_PASSWORD": "x",
        "AWS_SECRET_ACCESS_KEY": "x", "AWS_ACCESS_KEY_ID": "x", "session_token": "x", "S2PS_PRIP_USERS": "x",
        "S2PS_ALERT_WEBHOOK": "x", "S2PS_INVENTORY": "x", "DATABASE": "postgresql://s2ps:hidden@db/s2ps",
        "S2PS_STAGING": "s3://bucket/prefix?endpoint=http://store:7480",
    }  # fmt: skip
    seen = environment_of(job, Workspace(tmp_path, tmp_path / "JobOrder.xml"), inherited)
    assert "x" not in seen.values()
    assert "DATABASE" not in seen
    assert "S2PS_STAGING" in seen
    assert (seen["PATH"], seen["OMP_NUM_THREADS"], seen["MKL_NUM_THREADS"]) == ("/bin", "4", "1")
    assert seen["S2PS_FAULT"] == "slow:1"
    assert seen["TMPDIR"] == str(tmp_path / "WORKING")
