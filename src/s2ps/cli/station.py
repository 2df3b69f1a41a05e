"""`s2ps station`: a simulated station in a process of its own."""

from __future__ import annotations

import os
import signal
import threading
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr, ValidationError

from s2ps.cli.terminal import console, guarded
from s2ps.model.errors import ConfigurationError
from s2ps.stations.misbehaviour import Misbehaviour
from s2ps.stations.settings import StationSettings
from s2ps.stations.timeline import Timeline


class Kind(StrEnum):
    """The interfaces a simulated station can have."""

    xbip = "xbip"
    cadip = "cadip"
    edip = "edip"
    auxip = "auxip"


def station(
    kind: Annotated[Kind, typer.Option(help="Interface of the station.")] = Kind.xbip,
    content: Annotated[Path | None, typer.Option(help="Folder with sessions or auxiliary files.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    user: Annotated[str | None, typer.Option(help="Login. Default: everybody is let in.")] = None,
    password_env: Annotated[str | None, typer.Option(help="Environment variable with the password.")] = None,
    timeline: Annotated[Path | None, typer.Option(help="YAML or JSON: what is published when.")] = None,
    misbehave: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, what goes wrong; may be repeated.")] = None,
    setting: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE, as oauth2=true or tls=true.")] = None,
) -> None:
    """Publish sessions or auxiliary files at a simulated station, until it ends.

    The content is a folder as `s2ps simulate` writes it. The address is printed
    when the station is ready. docs/stations.md describes timelines, settings
    and misbehaviour.

    Examples:
      s2ps station --kind xbip --content var/mine/session
      s2ps station --kind cadip --content var/mine/session --set oauth2=true
      s2ps station --kind auxip --content var/mine/auxiliary
      s2ps station --content var/mine/session --misbehave status_every=5

    Exit codes: 0 ended by a signal, 2 error.
    """
    password = _secret(password_env)
    texts = {**_pairs(setting or []), "host": host, "port": port, "user": user, "password": password}
    guarded(lambda: _station(kind, content, timeline, misbehave or [], texts))


def _station(
    kind: Kind, content: Path | None, timeline: Path | None, misbehave: list[str], texts: dict[str, object]
) -> None:
    parts = {
        "timeline": Timeline.load(timeline) if timeline else Timeline(),
        "misbehaviour": Misbehaviour.parse(misbehave),
    }
    try:
        settings = StationSettings.model_validate({**texts, **parts})
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise ConfigurationError(f"station: {wrong}", expected="--set NAME=VALUE as in docs/stations.md") from error
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    serve = import_module(f"s2ps.stations.{kind.value}").serve
    with serve(content, settings) as running:
        trust = f" certificate={running.certificate}" if running.certificate else ""
        token = f" token_url={running.token_url}" if running.token_url else ""
        console.print(f"{kind.value} station ready url={running.url}{token}{trust}")
        console.file.flush()
        ended.wait()


def _pairs(texts: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        found[name.strip().replace("-", "_")] = value.strip() if equals else "true"
    return found


def _secret(variable: str | None) -> SecretStr:
    if variable is None:
        return SecretStr("")
    if variable not in os.environ:
        raise typer.BadParameter(f"the environment variable {variable} is not set", param_hint="--password-env")
    return SecretStr(os.environ[variable])
