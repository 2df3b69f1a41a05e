"""Recipes: those in the repository are sound, and wrong ones are named."""

from __future__ import annotations

import subprocess

import pytest
from pydantic import ValidationError

from ipf_adapters.images.build import epoch_of, fingerprint
from ipf_adapters.images.recipe import PROJECT, ImageRecipe, load_recipe, recipe_names

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("name", recipe_names())
def test_no_image_runs_as_root_and_everything_it_copies_is_there(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.user == "10001:10001"
    assert recipe.entrypoint or recipe.command
    for layer in recipe.layers:
        if layer.python:
            assert (PROJECT / "requirements" / layer.python.requirements).is_file()
        for source in layer.files.copies if layer.files else ():
            assert (PROJECT / source).exists()


def test_the_images_of_processors_start_the_runner_and_hold_no_airflow() -> None:
    for name in ("base", "reference"):
        recipe = load_recipe(name)
        assert recipe.entrypoint == ("python3", "-m", "ipf_adapters.run")
        assert recipe.environment["S2PS_EXECUTABLES"] == "/opt/ipf"
        (python,) = [layer.python for layer in recipe.layers if layer.python]
        assert "airflow" not in (PROJECT / "requirements" / python.requirements).read_text()


def test_an_unknown_image_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"no recipe for image 'nothing': expected one of base, .*reference"):
        load_recipe("nothing")


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([{"files": {}}], "first layer of an image is debian"),
        ([{"debian": {"packages": []}, "files": {}}], "a layer is one of"),
        ([{"debian": {"packages": []}}, {"debian": {"packages": []}}], "first layer of an image is debian"),
    ],
)
def test_wrong_recipes_are_refused(layers: list[dict[str, object]], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ImageRecipe.model_validate({"title": "x", "user": "1:1", "layers": layers})


def test_the_time_of_a_layer_is_that_of_the_last_commit_of_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    said = subprocess.run(
        ["git", "log", "-1", "--format=%ct", "--", "LICENSE"], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert epoch_of(["LICENSE"]) == int(said.stdout)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "12")
    assert epoch_of(["LICENSE"]) == 12


def test_a_fingerprint_tells_content_apart() -> None:
    assert fingerprint(["LICENSE"]) == fingerprint(["LICENSE"])
    assert fingerprint(["LICENSE"]) != fingerprint(["README.md"])
    assert fingerprint(["src"]) != fingerprint(["ipf_adapters"])
