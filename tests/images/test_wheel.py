"""The wheel that is put into images has everything a runner needs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ipf_adapters.images.packages import WHEEL_SOURCES, copy_sources
from ipf_adapters.images.recipe import PROJECT
from ipf_adapters.reference.registry import MODULES


@pytest.mark.integration
def test_the_wheel_is_whole(tmp_path: Path) -> None:
    copy_sources(tmp_path / "source")
    assert all((tmp_path / "source" / name).exists() for name in WHEEL_SOURCES)
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path)]
    subprocess.run([sys.executable, *build, str(tmp_path / "source")], check=True, timeout=300)
    (wheel,) = tmp_path.glob("s2ps-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
    for name in MODULES:
        assert modes[f"ipf_adapters/reference/bin/{name}.bash"] & 0o111, name
        assert f"s2ps/processors/definitions/05.00/{name}.yaml" in modes
    packaged = {path.relative_to(PROJECT / "src") for path in (PROJECT / "src/s2ps").rglob("*.yaml")}
    assert {str(path) for path in packaged} <= set(modes)
    assert not [name for name in modes if name.startswith(("ipf_adapters/images", "tests", "plugins"))]
