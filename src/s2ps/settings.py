"""Where things are and how the service behaves; read from the environment (S2PS_*) or given by the caller."""

from __future__ import annotations

import json
import os
from datetime import UTC
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AwareDatetime, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from s2ps.model.errors import ConfigurationError

OBJECT_STORE = "s3:"


def _text(value: object) -> object:
    return str(value) if isinstance(value, Path) else value


def _database(value: object) -> object:
    return Path(value) if isinstance(value, str) and "://" not in value else value


def _uri(location: str) -> str:
    return location if location.startswith(OBJECT_STORE) else Path(location).as_uri()


def _location(text: str, variable: str = "S2PS_STAGING") -> str:
    """Return a folder as absolute path and the URI of an object store unchanged; refuse other schemes."""
    if text.startswith(OBJECT_STORE):
        return text
    parts = urlsplit(text)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return str(Path(unquote(parts.path)).resolve())
    if "://" in text:
        raise ConfigurationError(
            f"{variable} has the scheme {parts.scheme}, which is no place for files",
            expected="a folder, file:///folder or s3://bucket/prefix?endpoint=...",
            next_step="correct the environment variable",
        )
    return str(Path(text).expanduser().resolve())


class Settings(BaseSettings):
    """Settings of one installation; every field can be set by `S2PS_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="S2PS_", frozen=True, extra="ignore")

    home: Path = Path("var")
    """Folder of everything the service writes, unless a field below says otherwise."""
    execution: Literal["local", "pod"] = "local"
    """Where clusters run: as processes of the machine that runs the Airflow task, or as pods."""
    staging: Annotated[str | None, BeforeValidator(_text)] = None
    """Staging store: plans, job folders, intermediate data. A folder, file:///folder or s3://bucket/prefix?endpoint=...
    Default: home/staging."""
    stores: dict[str, str] = Field(default_factory=dict)
    """Further stores by name (JSON), which a strategy may choose for the intermediate data of a cluster."""
    workspaces: Path | None = None
    """Folder of what processors keep from job to job; the same path wherever jobs run. Default: persistent/ in a
    staging that is a folder; with another staging every job gets an empty one."""
    products: Path | None = None
    """Publication folder. Default: home/products."""
    packages: Annotated[str | None, BeforeValidator(_text)] = None
    """Where packages, quick-looks and the STAC catalogue go: a folder, file:///folder or
    s3://bucket/prefix?endpoint=... Default: home/packages."""
    packaging: bool = True
    """Package products when they are published, so that users find them; off: folders only."""
    retention: Path | None = None
    """YAML file that says how long products stay. Default: the packaged rules."""
    inventory: Annotated[Path | str | None, BeforeValidator(_database)] = None
    """Inventory database: a SQLite file, or postgresql+psycopg2://user:password@host:port/database.
    Default: home/inventory.sqlite."""
    auxiliary: Path | None = None
    """Folder of GIPPs, IERS bulletins and meteorology. Default: home/auxiliary."""
    static: Path | None = None
    """Folder of DEMs and maps (S2IPF-DEMSRTM ...). Default: home/static."""
    gri: Path | None = None
    """Folder of the Global Reference Image, one sub-folder per relative orbit. Default: home/gri."""
    executables: Path | None = None
    """Folder with NAME/version/scripts/NAME.bash or NAME.bash; what it lacks is taken from the reference processors."""
    definitions: Path | None = None
    """Folder of further processor definitions, read on top of the packaged ones."""
    strategies: Path | None = None
    """Folder of further strategies, read on top of the packaged ones."""
    baseline: str = Field(default="05.00", pattern=r"^\d{2}\.\d{2}$")
    """Processing baseline when a run does not name one."""
    strategy: str = "single_machine"
    """Strategy when a run does not name one."""
    centre: str = Field(default="S2PS", pattern=r"^[A-Z0-9_]{4}$")
    """Processing centre written into names, four characters."""
    creation_date: AwareDatetime | None = None
    """Creation date of all products (ISO UTC), so that runs can be compared bit by bit. Default: when it is planned."""
    channels: int = Field(default=2, ge=1, le=4)
    """Channels a downlink session must have to be complete."""
    slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Jobs that run at the same time inside one cluster."""
    timeliness_l1c_minutes: int = Field(default=75, ge=1)
    """Minutes from t0 to the last L1C product."""
    timeliness_l2a_minutes: int = Field(default=120, ge=1)
    """Minutes from t0 to the last L2A product."""
    stations: Path | None = None
    """File that lists the stations (YAML). Default: home/stations.yaml."""
    sessions: Path | None = None
    """Folder in which sessions arrive from stations; clusters read them there. Default: home/sessions."""
    session_days: float | None = Field(default=None, ge=0)
    """Days for which raw data from stations stay when everything was made of them. Default: for ever."""
    processing_reserve_minutes: int = Field(default=45, ge=0)
    """Minutes kept for processing before a time limit; auxiliary files are waited for until then, not longer."""
    alert_webhook: str | None = None
    """URL that gets a POST when a deadline is missed."""

    @classmethod
    def load(cls, home: Path | None = None) -> Self:
        """Read the environment; `home` wins over S2PS_HOME. Paths become absolute.

        Raises ConfigurationError naming a variable that does not fit.
        """
        try:
            base = cls() if home is None else cls(home=home)
        except ValidationError as error:
            wrong = "; ".join(
                f"S2PS_{'_'.join(map(str, item['loc'])).upper()}={item['input']!r}: {item['msg']}"
                for item in error.errors()
            )
            raise ConfigurationError(f"settings: {wrong}", next_step="correct the environment variable") from error
        root = base.home.expanduser().resolve()
        given = base.inventory or root / "inventory.sqlite"
        inventory = given if isinstance(given, str) else given.expanduser().resolve()
        places = {
            "home": root,
            "products": base.products or root / "products",
            "auxiliary": base.auxiliary or root / "auxiliary",
            "static": base.static or root / "static",
            "gri": base.gri or root / "gri",
            "sessions": base.sessions or root / "sessions",
            "executables": base.executables or reference_executables(),
        }
        optional = {
            "definitions": base.definitions, "strategies": base.strategies, "workspaces": base.workspaces,
            "retention": base.retention, "stations": base.stations,
        }  # fmt: skip
        paths = {name: path.expanduser().resolve() for name, path in {**places, **optional}.items() if path}
        staging = _location(base.staging or str(root / "staging"))
        packages = _location(base.packages or str(root / "packages"), "S2PS_PACKAGES")
        created = base.creation_date.astimezone(UTC) if base.creation_date else None
        stores = {name: _location(text) for name, text in base.stores.items()}
        more = {
            "inventory": inventory,
            "staging": staging,
            "packages": packages,
            "creation_date": created,
            "stores": stores,
        }
        return base.model_copy(update={**paths, **more})

    @property
    def staging_uri(self) -> str:
        """Return the URI of the staging, file:///... or s3://...; raise ConfigurationError when it is not set."""
        if self.staging is None:
            raise ConfigurationError("setting staging is not set", next_step="set S2PS_STAGING or use Settings.load()")
        return _uri(self.staging)

    @property
    def packages_uri(self) -> str:
        """Return the URI of the package store; raise ConfigurationError when it is not set."""
        if self.packages is None:
            raise ConfigurationError(
                "setting packages is not set", next_step="set S2PS_PACKAGES or use Settings.load()"
            )
        return _uri(self.packages)

    def store_uri(self, name: str) -> str:
        """Return the URI of a further store; raise ConfigurationError when there is none of that name."""
        if name not in self.stores:
            raise ConfigurationError(
                f"there is no store {name!r} for intermediate data",
                expected=f"staging, scratch or a name of S2PS_STORES ({', '.join(sorted(self.stores)) or 'empty now'})",
                next_step="correct `intermediates` in the strategy, or add the store to S2PS_STORES",
            )
        return _uri(self.stores[name])

    @property
    def staging_folder(self) -> Path | None:
        """Return the folder of the staging, None when it is an object store."""
        return None if self.staging is None or self.staging.startswith(OBJECT_STORE) else Path(self.staging)

    @property
    def stations_file(self) -> Path:
        """Return the file that lists the stations, which need not be there."""
        return self.stations or self.place("home") / "stations.yaml"

    @property
    def inventory_location(self) -> Path | str:
        """Return the SQLite file or the URL of the inventory; raise ConfigurationError when it is not set."""
        if self.inventory is None:
            raise ConfigurationError("setting inventory is not set", next_step="use Settings.load()")
        return self.inventory

    def place(self, name: str) -> Path:
        """Return one of the resolved folders or files; raises ConfigurationError when it is not set."""
        value = getattr(self, name, None)
        if not isinstance(value, Path):
            raise ConfigurationError(
                f"setting {name} has no path", next_step=f"set S2PS_{name.upper()} or use Settings.load()"
            )
        return value

    def environment(self) -> dict[str, str]:
        """Return the S2PS_* variables that make another process see the same settings."""
        fields = self.model_dump(mode="json", exclude_none=True)
        texts = {name: json.dumps(value) if isinstance(value, dict) else str(value) for name, value in fields.items()}
        return {f"S2PS_{name.upper()}": text for name, text in texts.items()}


def reference_executables() -> Path:
    """Return the folder of the reference processors' commands (found, not imported)."""
    spec = find_spec("ipf_adapters")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        candidate = Path(folder) / "reference" / "bin"
        if candidate.is_dir():
            return candidate
    raise ConfigurationError(
        "the reference processors are not installed", next_step="install the project or set S2PS_EXECUTABLES"
    )
