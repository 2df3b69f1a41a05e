"""What people see: one console, plain errors, tables, exit codes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from s2ps.model.errors import S2psError

_terminal = sys.stdout.isatty()
console = Console(highlight=False, soft_wrap=not _terminal, width=None if _terminal else 200)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

FINDINGS = 1
"""Exit code when what was checked is not in order."""
ERROR = 2
"""Exit code of errors; wrong usage has the same."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def guarded(function: Callable[[], None]) -> None:
    """Run a command; an error becomes a plain message and exit code 2, Ctrl-C exit code 130."""
    try:
        function()
    except S2psError as error:
        stop(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            raise
        stop(S2psError(f"{error.filename}: {error.strerror}", next_step="check the path and who may write there"))
    except KeyboardInterrupt:
        errors.print("\n[yellow]interrupted[/]; run the same command again to go on where it stopped")
        raise SystemExit(INTERRUPTED) from None


def stop(error: S2psError) -> NoReturn:
    """Print an error as people read it, what is wrong first, and end with exit code 2."""
    errors.print(f"[bold red]error:[/] {escape(error.message)}")
    if error.expected:
        errors.print(f"  expected: {escape(error.expected)}")
    if error.next_step:
        errors.print(f"  next: {escape(error.next_step)}")
    raise SystemExit(ERROR)


def escape(text: str) -> str:
    """Return text in which brackets mean themselves."""
    return text.replace("[", "\\[")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table; columns whose name starts with `>` are right-aligned numbers."""
    drawn = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        drawn.add_column(column.removeprefix(">"), justify="right" if column.startswith(">") else "left")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    console.print(drawn)
