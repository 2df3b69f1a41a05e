"""The library that reads GRIB and the one of map projections in one process, whichever code comes first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
PROGRAM = """
from pathlib import Path
from {module} import {name}
try:
    list({name}(Path({path!r}){more}))
except Exception as error:
    print(error)
import pyproj
"""


@pytest.mark.parametrize(
    ("module", "name", "more"),
    [("s2ps.inventory.meteorology", "_fields", ", 'x'"), ("ipf_adapters.reference.l1c.meteorology", "read_fields", "")],
)
def test_a_process_that_reads_grib_first_ends_well(tmp_path: Path, module: str, name: str, more: str) -> None:
    path = tmp_path / "none.grib"
    path.write_bytes(b"no GRIB")
    program = PROGRAM.format(module=module, name=name, path=str(path), more=more)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "GRIB" in done.stdout
