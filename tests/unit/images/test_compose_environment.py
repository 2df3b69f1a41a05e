"""The environment file of docker-compose: random, private, kept; and docker-compose.yml itself holds no secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ipf_adapters.images.compose import IMAGES, new_values, write_environment
from ipf_adapters.images.recipe import PROJECT, load_recipe

pytestmark = pytest.mark.unit
COMPOSE = PROJECT / "docker-compose.yml"


def test_only_the_owner_reads_it_and_what_it_has_is_kept(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("S2PS_PORT=9000\nS2PS_ADMIN_PASSWORD=mine\nS2PS_VERSION=0.0.1\n")
    assert "POSTGRES_PASSWORD" in write_environment(path)
    assert path.stat().st_mode & 0o777 == 0o600
    first = path.read_text()
    assert "S2PS_PORT=9000\nS2PS_ADMIN_PASSWORD=mine\n" in first
    assert "0.0.1" not in first
    assert write_environment(path) == ["S2PS_VERSION"]
    assert sorted(path.read_text().splitlines()) == sorted(first.splitlines())
    assert new_values()["POSTGRES_PASSWORD"] != new_values()["POSTGRES_PASSWORD"]


def test_every_variable_without_a_default_is_written() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    assert needed == set(new_values())
    assert set(re.findall(r"\$\{(\w+)[}]", COMPOSE.read_text())) == set()


def test_services_are_hardened_limited_watched_and_only_on_this_machine() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert {service["image"].split("/")[2].split(":")[0] for service in services.values()} == set(IMAGES)
    for name, service in services.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["deploy"]["resources"]["limits"]["memory"]
        assert service["restart"] == ("on-failure" if name == "prepare" else "unless-stopped")
        assert ("healthcheck" in service) == (name != "prepare")
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for condition in service.get("depends_on", {}).values():
            assert condition["condition"] in ("service_healthy", "service_completed_successfully")


def test_services_that_users_ask_get_no_secret() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for name in ("prip", "publication"):
        assert not [value for value in services[name].get("environment", {}).values() if "${" in value]


def test_volumes_are_folders_their_image_lets_them_write() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    for service in services.values():
        recipe = load_recipe(service["image"].split("/")[2].split(":")[0])
        owned = {folder for layer in recipe.layers if layer.files for folder in layer.files.owned}
        for volume in service.get("volumes", []):
            _, target, *options = volume.split(":")
            assert target in owned or options == ["ro"]
