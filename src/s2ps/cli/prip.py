"""`s2ps prip`: the web service where users find and download products."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from s2ps.cli.terminal import console, escape, guarded
from s2ps.model.errors import ConfigurationError
from s2ps.prip.accounts import USERS_FILE, Account, Accounts, hashed, keep
from s2ps.prip.settings import PripSettings
from s2ps.settings import Settings

app = typer.Typer(
    no_args_is_help=True,
    help="""The web service of published products: OData v4 (PRIP) and STAC.

    Example:
      s2ps prip serve --home var/mine""",
)
Home = Annotated[Path | None, typer.Option(help="What this installation wrote. Default: var.", envvar="S2PS_HOME")]
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@app.command()
def serve(
    home: Home = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8082,
) -> None:
    """Answer queries and send products until it is stopped (Ctrl-C).

    Users are those of prip-users.yaml in the home (S2PS_PRIP_USERS). When
    there are none, everybody on this machine may search and download, until
    there is one; to offer the service to others, add users, or say
    S2PS_PRIP_ANONYMOUS=true.

    Examples:
      s2ps prip serve --home var/mine
      curl 'http://127.0.0.1:8082/odata/v1/Products?$top=2'

    Exit codes: 0 stopped, 2 error.
    """
    guarded(lambda: _serve(home, host, port))


@app.command()
def user(
    name: Annotated[str, typer.Argument(help="Name of the user or service account.")],
    home: Home = None,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="S2PS_PRIP_PASSWORD")
    ] = "",
    requests_per_minute: Annotated[int | None, typer.Option(min=1, help="Default: no limit.")] = None,
    gigabytes_per_day: Annotated[float | None, typer.Option(min=0.001, help="Default: no limit.")] = None,
    parallel_downloads: Annotated[int | None, typer.Option(min=1, help="Default: no limit.")] = None,
) -> None:
    """Add a user of the service, or change one; the password is asked for and kept as a hash.

    A service that runs knows the user at once.

    Example:
      s2ps prip user alice --requests-per-minute 600 --parallel-downloads 4

    Exit codes: 0 fine, 2 error.
    """
    limits = {
        "requests_per_minute": requests_per_minute,
        "gigabytes_per_day": gigabytes_per_day,
        "parallel_downloads": parallel_downloads,
    }
    guarded(lambda: _user(home, name, password, limits))


def _serve(home: Path | None, host: str, port: int) -> None:
    import uvicorn

    settings, own = Settings.load(home), PripSettings.load()
    accounts = Accounts(own.users or settings.place("home") / USERS_FILE)
    if not accounts and own.issuer is None and not own.anonymous:
        if host not in _LOOPBACK:
            raise ConfigurationError(
                f"the service would listen at {host} and has no users",
                expected=f"users in {accounts.path}, an issuer of tokens, or S2PS_PRIP_ANONYMOUS=true",
                next_step="add users with `s2ps prip user NAME`",
            )
        os.environ["S2PS_PRIP_OPEN_WITHOUT_USERS"] = "true"
    os.environ.update(settings.environment())
    uvicorn.run("s2ps.prip.app:app", factory=True, host=host, port=port, workers=own.workers, server_header=False)


def _user(home: Path | None, name: str, password: str, limits: dict[str, int | float | None]) -> None:
    settings, own = Settings.load(home), PripSettings.load()
    if len(password) < 8:
        raise ConfigurationError("the password is short", expected="8 characters or more", next_step="choose another")
    path = own.users or settings.place("home") / USERS_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    keep(path, Account.model_validate({"name": name, "password": hashed(password), **limits}))
    console.print(f"user {escape(name)} is in {escape(str(path))}")
