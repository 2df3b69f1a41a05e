"""What a processor sees of the environment it is started in."""

from __future__ import annotations

from pathlib import Path

from contract.clusters import Workbench

from ipf_adapters.runner.workspace import Workspace, environment_of


def test_processors_see_no_secrets_and_one_thread(tmp_path: Path) -> None:
    job = Workbench(tmp_path).job("a", environment={"S2PS_FAULT": "slow:1"})
    inherited = {
        "PATH": "/bin", "OMP_NUM_THREADS": "4", "AIRFLOW__CORE__FERNET_KEY": "x", "MY_DB_PASSWORD": "x",
        "AWS_SECRET_ACCESS_KEY": "x", "AWS_ACCESS_KEY_ID": "x", "session_token": "x",
    }  # fmt: skip
    seen = environment_of(job, Workspace(tmp_path, tmp_path / "JobOrder.xml"), inherited)
    assert "x" not in seen.values()
    assert (seen["PATH"], seen["OMP_NUM_THREADS"], seen["MKL_NUM_THREADS"]) == ("/bin", "4", "1")
    assert seen["S2PS_FAULT"] == "slow:1"
    assert seen["TMPDIR"] == str(tmp_path / "WORKING")
