"""The reference processors ask the job order for what the catalogue gives them, and write what it says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from s2ps.processors.auxiliary import PRODUCT_TYPES
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.loader import load_baseline

REFERENCE = Path(__file__).parents[3] / "ipf_adapters" / "reference"
FILES = {path.stem.upper(): path for path in sorted(REFERENCE.glob("*/*.py"))}
ALIASES = {product: name for name, product in PRODUCT_TYPES.items()}
READS = ("input_dir", "input_file", "input_files", "input_paths")
WRITES = ("output_dir", "output_file")
IMPLICIT = {"WORKING", "IDP_INFOS", "REPORT"}
"""Given by the runner to every job."""


def named(path: Path, methods: tuple[str, ...]) -> set[str]:
    """Return the types a module names in calls `ctx.method("TYPE")`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in methods
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "ctx"
        and isinstance(call.args[0], ast.Constant)
    }


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_baseline()


def test_most_processors_are_looked_at(catalogue: Catalogue) -> None:
    assert len(FILES.keys() & catalogue.processors.keys()) >= 40


@pytest.mark.parametrize("name", sorted(load_baseline().processors))
def test_inputs_and_outputs_are_declared(catalogue: Catalogue, name: str) -> None:
    if name not in FILES:
        pytest.skip(f"{name} has no reference processor of its own")
    steps = catalogue.processors[name].steps
    given = {entry.type for step in steps for entry in step.inputs} | IMPLICIT
    given |= {item for step in steps for item in (*step.all_auxiliary, *step.all_static)}
    asked = {ALIASES.get(item, item) for item in named(FILES[name], READS)}
    assert sorted(asked - given) == []
    written = named(FILES[name], WRITES) - named(FILES[name], ("has_output",))
    assert sorted(written - {entry.type for step in steps for entry in step.outputs} - IMPLICIT) == []
