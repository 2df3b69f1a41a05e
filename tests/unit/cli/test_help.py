"""The command line explains itself: every command has a purpose, an example and its exit codes."""

from __future__ import annotations

import re

import pytest
import typer
from typer.testing import CliRunner

from s2ps.cli.main import app

pytestmark = pytest.mark.unit

COMMANDS = [
    ("simulate",), ("run",), ("ingest",), ("plan",), ("demo",), ("status",), ("stop",), ("station",),
    ("sessions", "show"), ("sessions", "resume"), ("sessions", "expire"),
    ("graph", "draw"),
    ("processors", "list"), ("processors", "show"), ("processors", "check"), ("processors", "compare"),
    ("auxiliary", "add"), ("auxiliary", "explain"),
    ("inventory", "upgrade"), ("inventory", "check"), ("inventory", "lineage"), ("prip", "serve"), ("prip", "user"),
    ("inventory", "remove"), ("staging", "sweep"), ("k8s", "size"), ("k8s", "seconds"),
    ("publication", "expire"), ("publication", "withdraw"), ("publication", "refresh"),
]  # fmt: skip


def help_of(*command: str) -> str:
    result = CliRunner().invoke(app, [*command, "--help"], terminal_width=110)
    assert result.exit_code == 0
    return result.output


def test_no_command_is_left_out() -> None:
    root = typer.main.get_command(app)
    found = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        found |= {(name, sub) for sub in below} if below else {(name,)}
    assert found == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_tells_purpose_example_and_exit_codes(command: tuple[str, ...]) -> None:
    text = help_of(*command)
    assert re.search(rf"^ *s2ps {' '.join(command)}\b", text, re.MULTILINE), "an example to copy"
    assert "Exit codes" in text or "codes: 0" in text
    assert "-h" in text


def test_the_manual_tells_words_places_and_exit_codes() -> None:
    text = help_of()
    for part in ("staging/", "products/", "inventory.sqlite", "S2PS_DEFINITIONS", "130 interrupted", "1 findings"):
        assert part in text
    for command in COMMANDS:
        assert command[0] in text


def test_defaults_are_shown() -> None:
    assert re.search(r"--scale.*default: 10", help_of("simulate"), re.DOTALL)
    assert re.search(r"--scenes.*default: 16.*--tiles.*default: 18", help_of("plan"), re.DOTALL)


def test_lines_fit_a_terminal() -> None:
    for command in [(), *COMMANDS]:
        result = CliRunner().invoke(app, [*command, "--help"])
        before_options = result.output.split("╭")[0].splitlines()
        long = [line for line in before_options if len(line.rstrip()) > 80]
        assert not long


@pytest.mark.parametrize(
    "command", [("plam",), ("run", "--hom", "x"), ("simulate", "--scale", "0"), ("graph", "paint")]
)
def test_wrong_usage_is_exit_code_2(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, list(command))
    assert result.exit_code == 2
    assert command[-2 if len(command) == 3 else -1] in result.stderr or "--hom" in result.stderr
