"""The reference image runs a cluster as a pod would, and an image made from the template runs its processor."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from images.conftest import Engine

from ipf_adapters.images.__main__ import main
from ipf_adapters.images.recipe import HERE, PROJECT
from s2ps.execution.request import ClusterRequest
from s2ps.execution.result import ClusterResult
from s2ps.production import Production, RunKey
from s2ps.settings import Settings
from s2ps.staging import layout

pytestmark = pytest.mark.images
GROUP = 10001


@pytest.fixture(scope="module")
def reference(images: dict[str, dict[str, str]], engine: Engine) -> str:
    engine("load", "--quiet", "--input", images["reference"]["archive"])
    return images["reference"]["reference"]


@pytest.fixture(scope="module")
def base(images: dict[str, dict[str, str]], engine: Engine) -> str:
    engine("load", "--quiet", "--input", images["base"]["archive"])
    return images["base"]["tag"]


def shared(folder: Path) -> Path:
    """Make a staging that pods may write, as the installation guide says."""
    folder.mkdir(parents=True)
    os.chown(folder, -1, GROUP)
    folder.chmod(0o2775)
    for parent in folder.parents:
        if parent.stat().st_uid == os.getuid() and len(parent.parts) > 2:
            parent.chmod(parent.stat().st_mode | 0o055)
    return folder


@pytest.mark.parametrize("name", ["base", "reference"])
def test_the_bill_of_materials_names_the_packages(name: str, images: dict[str, dict[str, str]]) -> None:
    text = Path(images[name]["sbom"]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    names = {entry["name"] for entry in json.loads(text)["components"]}
    assert {"libc6", "bash", "pydantic", "boto3", "s2ps"} <= names
    assert ("rasterio" in names) == (name == "reference")


def test_nothing_can_be_written_and_nothing_builds_software(engine: Engine, reference: str) -> None:
    script = "id -u; id -g; for f in / /usr /opt/ipf /etc; do touch $f/x 2>/dev/null && echo $f is writable; done; "
    script += "for c in pip pip3 gcc cc g++ make; do command -v $c; done; python3 -m pip --version 2>&1; touch /tmp/x"
    said = engine.run(reference, "-c", script, options=("--entrypoint=bash",)).split("\n")
    assert said[:2] == [str(GROUP), str(GROUP)]
    assert said[2:] == ["/usr/bin/python3: No module named pip", ""]


def test_every_library_loads_and_python_is_compiled(engine: Engine, reference: str) -> None:
    libraries = "boto3, imagecodecs, lxml.etree, numpy, pyproj, rasterio.warp, scipy.ndimage, shapely, eccodes"
    program = f"import sys; import ipf_adapters.run, {libraries}; eccodes.codes_get_api_version(); "
    program += "print([m.__file__ for m in list(sys.modules.values()) if getattr(m, '__cached__', None) "
    program += "and m.__file__.endswith('.py') and not __import__('os').path.exists(m.__cached__)])"
    traced = engine("run", "--rm", "--entrypoint=python3", reference, "-v", "-c", program)
    assert traced.stdout.strip() == "[]"
    assert "bytecode is stale" not in traced.stderr


def test_a_planned_cluster_runs_in_the_reference_image(engine: Engine, reference: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    simulate = [sys.executable, "-m", "ipf_adapters.simulation", "--output", str(home), "--scale", "30"]
    subprocess.run(simulate, check=True, timeout=600, capture_output=True, cwd=PROJECT)
    staging = shared(home / "staging")
    production = Production(Settings.load(home).model_copy(update={"execution": "pod"}))
    session = production.register_session(next((home / "session").iterdir()))
    run = RunKey("session", session.id, "single_machine")
    (cluster,) = production.plan(run, "l0u")
    begun = time.monotonic()
    mounts = (f"{home}:{home}:ro", f"{staging}:{staging}:rw")
    said = engine.run(reference, layout.request(run.id, cluster.id), "--staging", f"file://{staging}", mounts=mounts)
    print(f"container start to its end: {time.monotonic() - begun:.2f} s")
    assert "success: 1 done" in said
    result = ClusterResult.model_validate_json((staging / layout.result(run.id, cluster.id)).read_bytes())
    assert result.state == "success"
    assert len(production.datatakes(session.id)) == 1


def test_an_image_from_the_template_runs_its_processor(engine: Engine, base: str, tmp_path: Path) -> None:
    shutil.copytree(HERE / "template", tmp_path / "mine")
    build = ["bud", "--isolation=chroot", "--build-arg", f"BASE={base}", "--tag", "localhost/mine/example:01.00.00"]
    engine(*build, str(tmp_path / "mine"), program="buildah")
    staging = shared(tmp_path / "staging")
    (staging / "data").mkdir()
    (staging / "data" / "some").write_text("12345")
    (staging / "request.json").write_text(request(staging).model_dump_json())
    volume = f"{staging}:{staging}:rw"
    said = engine.run("localhost/mine/example:01.00.00", "request.json", "--staging", str(staging), mounts=(volume,))
    assert "success: 1 done" in said
    (note,) = staging.rglob("note.json")
    assert json.loads(note.read_text()) == {"bytes": 5}
    ended = engine.attempt(
        "localhost/mine/example:01.00.00", "absent.json", "--staging", str(staging), mounts=(volume,)
    )
    assert ended.returncode == 2


def test_the_bill_of_materials_of_an_image_made_elsewhere(
    engine: Engine, base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "base.tar"
    engine("save", "--quiet", "--format=oci-archive", "--output", str(archive), base)
    assert main(["--describe", str(archive)]) == 0
    assert capsys.readouterr().out.startswith(base.rpartition(":")[0] + "@sha256:")
    bill = json.loads((tmp_path / "base.cdx.json").read_text())
    assert {"libc6", "pydantic", "s2ps"} <= {entry["name"] for entry in bill["components"]}


def request(staging: Path) -> ClusterRequest:
    job = {
        "id": "L1A.EXAMPLE@all", "phase": "L1A", "task": "EXAMPLE", "processor": "EXAMPLE", "version": "01.00.00",
        "executable": "EXAMPLE/01.00.00/scripts/EXAMPLE.bash", "exit_policy": "strict", "timeout_s": 60,
        "data_id": "all", "parameters": {},
        "inputs": [{"type": "DATA", "kind": "Directory", "paths": [str(staging / "data")]}],
        "outputs": [{"type": "NOTE"}], "key": "0" * 64,
    }  # fmt: skip
    return ClusterRequest.model_validate(
        {
            "datatake": "GS2B_20260701T101559_048123_N05.00", "run_id": "example", "plan_hash": "0", "slots": 1,
            "cluster_id": "example", "node": "example", "label": "", "timeout_s": 60, "staging": f"file://{staging}",
            "jobs": [job],
        }
    )  # fmt: skip
