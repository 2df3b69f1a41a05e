"""Settings come from the environment and travel to other processes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from s2ps.model.errors import ConfigurationError
from s2ps.settings import Settings

pytestmark = pytest.mark.unit


def test_defaults_stand_under_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_HOME", str(tmp_path))
    monkeypatch.setenv("S2PS_GRI", str(tmp_path / "elsewhere"))
    settings = Settings.load()
    assert settings.staging_uri == (tmp_path / "staging").as_uri()
    assert settings.staging_folder == tmp_path / "staging"
    assert settings.place("gri") == tmp_path / "elsewhere"
    assert settings.place("sessions") == tmp_path / "sessions"
    assert settings.stations_file == tmp_path / "stations.yaml"
    assert (settings.place("executables") / "DECOMP.bash").exists()


BUCKET = "s3://staging/demo?endpoint=http://127.0.0.1:7480&region=default"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"staging": BUCKET, "execution": "pod", "creation_date": datetime(2026, 7, 1, 12, 0, tzinfo=UTC)},
        {"stores": {"bulk": BUCKET, "fast": "/mnt/fast"}},
    ],
    ids=["defaults", "pods", "stores"],
)
def test_environment_makes_the_same_settings(
    more: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings.load(tmp_path).model_copy(update=more)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


def test_wrong_values_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_BASELINE", "five")
    with pytest.raises(ValidationError, match="baseline"):
        Settings()


@pytest.mark.parametrize("given", ["stage", "./stage", "file://{here}/stage", "{here}/stage"])
def test_the_staging_may_be_a_folder_in_any_form(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("S2PS_STAGING", given.format(here=tmp_path))
    settings = Settings.load(tmp_path / "home")
    assert (settings.staging_folder, settings.staging_uri) == (tmp_path / "stage", (tmp_path / "stage").as_uri())


def test_the_staging_may_be_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_STAGING", BUCKET)
    settings = Settings.load(tmp_path)
    assert (settings.staging_uri, settings.staging_folder) == (BUCKET, None)


def test_another_scheme_of_staging_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_STAGING", "gs://user:geheim@bucket/demo")
    with pytest.raises(ConfigurationError, match="gs, which is no place for files") as caught:
        Settings.load(tmp_path)
    assert "geheim" not in str(caught.value)


def test_a_creation_date_needs_a_time_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_CREATION_DATE", "2026-07-01T14:00:00+02:00")
    assert Settings.load(tmp_path).creation_date == datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    monkeypatch.setenv("S2PS_CREATION_DATE", "2026-07-01T12:00:00")
    with pytest.raises(ConfigurationError, match="S2PS_CREATION_DATE"):
        Settings.load(tmp_path)


def test_further_stores_have_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2PS_STORES", json.dumps({"bulk": BUCKET, "fast": str(tmp_path / "fast")}))
    settings = Settings.load(tmp_path)
    assert settings.store_uri("bulk") == BUCKET
    assert settings.store_uri("fast") == (tmp_path / "fast").as_uri()
    with pytest.raises(ConfigurationError, match=r"no store 'slow'.*S2PS_STORES \(bulk, fast\)"):
        settings.store_uri("slow")
