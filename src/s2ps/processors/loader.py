"""Read the definition files of a baseline; every complaint names file, entry and field."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import yaml
from pydantic import ValidationError

from s2ps.model.errors import CatalogueError
from s2ps.processors.catalogue import Catalogue
from s2ps.processors.spec import ProcessorSpec

DEFAULT_BASELINE = "05.00"


@lru_cache(maxsize=8)
def load_baseline(baseline: str = DEFAULT_BASELINE, extra: Path | None = None) -> Catalogue:
    """Return the catalogue that comes with S2PS for a processing baseline; raises CatalogueError.

    Definition files in the folder `extra` are added; one of the same name replaces the packaged one.
    """
    root = resources.files("s2ps.processors") / "definitions"
    folder = root / baseline
    if not folder.is_dir():
        known = ", ".join(sorted(item.name for item in root.iterdir() if item.is_dir()))
        raise CatalogueError(f"no processors are defined for baseline {baseline!r}", expected=f"one of {known}")
    if extra is not None and not extra.is_dir():
        raise CatalogueError(
            f"folder of processor definitions {extra} does not exist",
            expected="a folder with one NAME.yaml per processor",
            next_step="make the folder, or correct S2PS_DEFINITIONS",
        )
    return _load(baseline, folder, extra)


def _load(baseline: str, *folders: Path | Traversable | None) -> Catalogue:
    files = {
        item.name: item for folder in folders if folder for item in folder.iterdir() if item.name.endswith(".yaml")
    }
    catalogue = Catalogue(baseline, [_read(files[name]) for name in sorted(files)])
    _check_producers(catalogue)
    return catalogue


def _read(file: Path | Traversable) -> ProcessorSpec:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise CatalogueError(f"{file.name}: not YAML: {error}", next_step="correct the file") from error
    try:
        spec = ProcessorSpec.model_validate(content)
    except ValidationError as error:
        raise CatalogueError(_explain(file.name, content, error), next_step="correct the file") from error
    if file.name != f"{spec.name}.yaml":
        raise CatalogueError(f"{file.name} defines processor {spec.name}", expected=f"a file named {spec.name}.yaml")
    return spec


def _explain(name: str, content: object, error: ValidationError) -> str:
    lines = []
    for item in error.errors():
        place = _place(content, item["loc"])
        reason = "unknown key" if item["type"] == "extra_forbidden" else item["msg"]
        lines.append(f"{name}: {place}: {reason}")
    return "; ".join(lines)


def _place(content: object, location: tuple[int | str, ...]) -> str:
    """Name the entry a validation error is about: list items by their task or type."""
    words: list[str] = []
    node: object = content
    for item in location:
        if isinstance(item, int):
            node = node[item] if isinstance(node, list) and item < len(node) else None
            title = (
                next((str(node[key]) for key in ("task", "type", "phase") if key in node), "")
                if isinstance(node, dict)
                else ""
            )
            words[-1:] = [f"{words[-1] if words else ''}[{title or item}]"]
        else:
            node = node.get(item) if isinstance(node, dict) else None
            words.append(item)
    return ".".join(words) or "file"


def _check_producers(catalogue: Catalogue) -> None:
    for step in catalogue:
        for entry in step.spec.inputs:
            for source in entry.producers:
                key = step.source_key(source)
                where = f"{step.processor.name}.yaml: steps[{step.key.task}].inputs[{entry.type}].from"
                if key not in catalogue:
                    raise CatalogueError(f"{where}: unknown producer {key}", next_step="correct the task or its phase")
                made = [output.type for output in catalogue.step(key).spec.outputs]
                wanted = step.output_type(entry, source)
                if wanted not in made:
                    raise CatalogueError(
                        f"{where}: {key} does not make {wanted}",
                        expected=f"one of {', '.join(made)}",
                        next_step="name the output as TASK:TYPE",
                    )
