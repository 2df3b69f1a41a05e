"""Settings come from the environment and travel to other processes."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from s2ps.settings import Settings

pytestmark = pytest.mark.unit


def test_defaults_stand_under_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_HOME", str(tmp_path))
    monkeypatch.setenv("S2PS_GRI", str(tmp_path / "elsewhere"))
    settings = Settings.load()
    assert settings.place("staging") == tmp_path / "staging"
    assert settings.place("gri") == tmp_path / "elsewhere"
    assert (settings.place("executables") / "DECOMP.bash").exists()


def test_environment_makes_the_same_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.load(tmp_path)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


def test_wrong_values_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_BASELINE", "five")
    with pytest.raises(ValidationError, match="baseline"):
        Settings()
