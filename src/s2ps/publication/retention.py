"""How long products stay: rules by level, file type and name."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from s2ps.model.errors import ConfigurationError


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


class Rule(BaseModel):
    """One rule: products of a kind, and where given with a certain name, stay for some days (None: for ever)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    name: Annotated[str, AfterValidator(_expression)] = ".*"
    days: Annotated[float, Field(gt=0)] | None


class Retention(BaseModel):
    """The rules, in the order in which they are tried."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> Retention:
        """Read a file of rules, by default the packaged one; raise ConfigurationError naming what is wrong."""
        where = str(path or "the packaged rules")
        try:
            text = path.read_text() if path else resources.files(__package__).joinpath("retention.yaml").read_text()
            return cls.model_validate(yaml.safe_load(text))
        except (OSError, yaml.YAMLError, ValidationError) as error:
            raise ConfigurationError(
                f"retention rules {where} cannot be read: {error}",
                expected="rules: [{kind: L1C, days: 7}, ...]",
                next_step="correct the file, or unset S2PS_RETENTION",
            ) from error

    def eviction(self, kind: str, name: str, published: datetime) -> datetime | None:
        """Return when a product is removed; None: never, and where no rule speaks of it."""
        for rule in self.rules:
            if rule.kind == kind and re.fullmatch(rule.name, name):
                return None if rule.days is None else published + timedelta(days=rule.days)
        return None
