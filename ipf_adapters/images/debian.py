"""The first layer of an image: a Debian root file system made by mmdebstrap."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
from email.parser import HeaderParser
from pathlib import Path

from ipf_adapters.images.blobs import OWNER, Component
from ipf_adapters.images.recipe import Debian

SUITE = "bookworm"
DATE = 1_795_305_600
"""The latest time a file of a Debian layer has (2026-11-22): fixed, so that commits do not change the layer."""
USER = "s2ps"
_LIMIT_S = 1800
_DROPPED = re.compile(
    r"(dev|proc|sys|run|tmp|var/log|var/cache/apt|var/lib/apt/lists|var/cache/debconf|usr/share/info|usr/share/lintian"
    r"|var/lib/dpkg/info/[^/]*\.postinst-old|var/cache/ldconfig)/.+|(etc|var/lib/dpkg|var/lib/systemd)/[^/]*-"
    r"|var/lib/dpkg/[^/]*-old|.*/debconf/.*-old|usr/share/python3/(.*/)?__pycache__/.+"
)
"""Paths that depend on the machine or the moment, or that no program in a container reads."""
_EMPTIED = frozenset({"etc/hostname", "etc/resolv.conf", "etc/machine-id"})
"""Files mmdebstrap takes from this machine; container engines put their own in place."""
_EXCLUDED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
_COMPILE = (
    'find "$1/usr/lib" -name "*.py" -newermt "@$SOURCE_DATE_EPOCH" -exec touch -d "@$SOURCE_DATE_EPOCH" {} + ; '
    'for f in "$1"/usr/lib/python3 "$1"/usr/lib/python3.*; do [ ! -d "$f" ] || '
    'chroot "$1" python3 -m compileall -q -f "${f#"$1"}"; done'
)
"""Debian compiles Python's library before mmdebstrap sets its times; the times recorded in the result would not fit."""


def inputs(recipe: Debian) -> list[object]:
    """Return what decides about the content, besides the versions Debian has today."""
    return [
        recipe.model_dump(mode="json"),
        DATE,
        SUITE,
        USER,
        OWNER,
        _DROPPED.pattern,
        sorted(_EMPTIED),
        _EXCLUDED,
        _COMPILE,
    ]


def make(recipe: Debian, tar: Path, root: Path) -> tuple[Component, ...]:
    """Write the root file system as tar and as folder `root`; return its packages."""
    need("mmdebstrap", "mmdebstrap")
    raw = tar.with_suffix(".raw.tar")
    try:
        _mmdebstrap(recipe, raw)
        packages = _repack(raw, tar, recipe.drop)
    finally:
        raw.unlink(missing_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    with tarfile.open(tar) as archive:
        archive.extractall(root, filter="fully_trusted")  # noqa: S202 - the archive was just made here
    return packages


def need(command: str, package: str) -> None:
    """Install the Debian package of a missing command, or say how to."""
    if shutil.which(command):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        raise FileNotFoundError(f"{command} is missing: install the Debian package {package}")
    print(f"installing {package} ...", file=sys.stderr, flush=True)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package]
    if subprocess.run(install, stdout=sys.stderr, check=False).returncode:
        subprocess.run(["apt-get", "update", "-qq"], stdout=sys.stderr, check=True)
        subprocess.run(install, stdout=sys.stderr, check=True)


def _mmdebstrap(recipe: Debian, tar: Path) -> None:
    packages = ",".join(["usr-is-merged", *recipe.packages])
    setup = [f'--essential-hook=cd "$1" && {command}' for command in recipe.setup]
    excluded = [f"--dpkgopt=path-exclude={pattern}" for pattern in _EXCLUDED]
    arguments = [
        "--variant=minbase",
        "--dpkgopt=force-unsafe-io",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        f"--include={packages}",
        *excluded,
        *setup,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        f'--customize-hook=chroot "$1" groupadd --gid {OWNER} {USER}',
        f'--customize-hook=chroot "$1" useradd --uid {OWNER} --gid {OWNER} --no-create-home --home-dir /tmp {USER}',
        f"--customize-hook={_COMPILE}",
    ]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(DATE), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["mmdebstrap", *arguments, SUITE, str(tar)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"mmdebstrap {packages} failed ({done.returncode}):\n{done.stderr[-3000:]}")


def _repack(raw: Path, tar: Path, drop: tuple[str, ...]) -> tuple[Component, ...]:
    """Copy a root file system without what depends on this machine."""
    packages: tuple[Component, ...] = ()
    dropped = [_DROPPED, *map(re.compile, drop)]
    with tarfile.open(raw) as source, tarfile.open(tar, "w", format=tarfile.PAX_FORMAT) as target:
        for entry in source:
            entry.name = entry.name.removeprefix("./").rstrip("/")
            if entry.name in ("", ".") or any(pattern.fullmatch(entry.name) for pattern in dropped):
                continue
            if entry.islnk():
                entry.linkname = entry.linkname.removeprefix("./")
            if entry.name in _EMPTIED:
                entry.size = 0
            entry.uname = entry.gname = ""
            content = source.extractfile(entry) if entry.isreg() else None
            if content is not None and entry.name == "var/lib/dpkg/status":
                packages = installed(content.read().decode())
                content.seek(0)
            target.addfile(entry, content)
    return packages


def installed(status: str) -> tuple[Component, ...]:
    """Return the installed packages of a dpkg status file."""
    found = []
    for paragraph in status.split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if "installed" in fields.get("Status", "").split():
            found.append(Component("deb", fields["Package"], fields["Version"], "", fields["Architecture"]))
    return tuple(sorted(found))
