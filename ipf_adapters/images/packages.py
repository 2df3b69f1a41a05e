"""Layers of Python packages: pinned requirements, and the project's wheel; compiled by the Python of the image."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from email.parser import HeaderParser
from pathlib import Path

from ipf_adapters.images.blobs import Component
from ipf_adapters.images.recipe import PROJECT, Project, Python

SITE = "usr/local/lib/python3.11/dist-packages"
"""Where Debian 12's Python looks for packages that are not Debian's."""
_COMMANDS = "usr/local/bin"
_PYTHON = "3.11"
_GLIBC = "manylinux_2_36"
_BOTOCORE_COMMON = ("partitions.json", "endpoints.json", "_retry.json", "sdk-default-configuration.json")
WHEEL_SOURCES = ("src", "ipf_adapters", "pyproject.toml", "README.md", "LICENSE", "requirements/requirements.in")


def requirements_tree(recipe: Python, tree: Path) -> None:
    """Install pinned requirements, as wheels for Debian 12, below a folder."""
    file = PROJECT / "requirements" / recipe.requirements
    built = [word for name in recipe.from_source for word in ("--no-binary", name)]
    if built:
        built.append("--no-build-isolation")
    _install(tree, ["--require-hashes", "--only-binary", ":all:", *built, "-r", str(file)])
    site = tree / SITE
    for pattern in recipe.prune:
        for path in site.glob(pattern):
            shutil.rmtree(path)
    if recipe.keep_botocore:
        _shrink_botocore(site / "botocore" / "data", recipe.keep_botocore)


def project_tree(recipe: Project, tree: Path, epoch: int) -> None:
    """Build the project's wheel from a copy of the sources and install it below a folder."""
    work = tree.with_name(f"{tree.name}.wheel")
    copy_sources(work / "source")
    places = ["--out-dir", str(work / "dist"), str(work / "source")]
    _run(
        ["uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable, *places],
        {"SOURCE_DATE_EPOCH": str(epoch)},
    )
    (wheel,) = (work / "dist").glob("*.whl")
    _install(tree, ["--no-deps", str(wheel)])
    for folder in recipe.without:
        shutil.rmtree(tree / SITE / folder)
    if not recipe.commands:
        shutil.rmtree(tree / _COMMANDS, ignore_errors=True)
    shutil.rmtree(work)


def finish(tree: Path, root: Path, epoch: int) -> None:
    """Set the times of a tree and compile its Python sources with the Python of a Debian root file system."""
    for cache in list(tree.rglob("__pycache__")):
        shutil.rmtree(cache)
    paths = list(tree.rglob("*"))
    for path in paths:
        os.utime(path, (epoch, epoch), follow_symlinks=False)
    if not any(path.suffix == ".py" for path in paths):
        return
    script = (
        'mount --bind "$1" "$2/mnt" && exec chroot "$2" /usr/bin/env -i PATH=/usr/bin:/bin PYTHONHASHSEED=0 '
        "python3 -m compileall -qq -f -s /mnt -p / /mnt"
    )
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    # Some packages carry sources for other versions of Python, so a non-zero code alone is no failure.
    subprocess.run([*private, "bash", "-c", script, "compile", str(tree), str(root)], timeout=1800, check=False)
    if not any(tree.rglob("*.pyc")):
        raise RuntimeError(f"the Python of {root} compiled nothing below {tree}: look at the messages above")


def installed(tree: Path) -> tuple[Component, ...]:
    """Return the Python packages of a tree by their metadata."""
    found = []
    for path in sorted((tree / SITE).glob("*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
        licence = fields.get("License-Expression") or ""
        found.append(Component("pypi", fields["Name"], fields["Version"], licence))
    return tuple(found)


def _install(tree: Path, arguments: Sequence[str]) -> None:
    site = tree / SITE
    site.mkdir(parents=True, exist_ok=True)
    target = ["--target", str(site), "--python", sys.executable, "--python-version", _PYTHON]
    target += ["--python-platform", f"{platform.machine()}-{_GLIBC}", "--link-mode", "copy"]
    _run(["uv", "pip", "install", "--quiet", *target, *arguments], {})
    _forget_folders(site)
    (site / ".lock").unlink(missing_ok=True)
    _move_commands(site / "bin", tree / _COMMANDS)


def _forget_folders(site: Path) -> None:
    """Remove the notes that name folders of this machine, from the lists of installed files too."""
    for name in ("direct_url.json", "uv_cache.json"):
        for note in site.glob(f"*.dist-info/{name}"):
            note.unlink()
            record = note.with_name("RECORD")
            lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
            record.write_text("".join(line for line in lines if f"/{name}," not in line), encoding="utf-8")


def _move_commands(source: Path, target: Path) -> None:
    if not source.is_dir():
        return
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        content = path.read_bytes()
        first, _, rest = content.partition(b"\n")
        if first.startswith(b"#!") and b"python" in first:
            content = b"#!/usr/bin/python3\n" + rest
        elif content.startswith(b"#!/bin/sh\n'''exec'"):
            content = b"#!/usr/bin/python3\n" + content.split(b"\n", 3)[3]
        (target / path.name).write_bytes(content)
        (target / path.name).chmod(0o755)
    shutil.rmtree(source)


def _shrink_botocore(data: Path, services: Sequence[str]) -> None:
    for path in data.iterdir():
        if path.is_dir() and path.name not in services:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in _BOTOCORE_COMMON:
            path.unlink()


def copy_sources(target: Path) -> None:
    """Copy what the wheel is built from, so that the build writes nothing into the checkout."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", "images")
    for name in WHEEL_SOURCES:
        source = PROJECT / name
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copyfile(source, target / name)


def _run(command: list[str], extra: dict[str, str]) -> None:
    beside = Path(sys.executable).with_name(command[0])
    program = str(beside) if beside.is_file() else command[0]
    done = subprocess.run(
        [program, *command[1:]], env={**os.environ, **extra}, capture_output=True, text=True, timeout=1800, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed ({done.returncode}):\n{done.stderr[-3000:]}")
