"""Build images: `python -m ipf_adapters.images [NAME ...]` (all without a name); what `make images` calls.

Archives, bills of materials and images.json go to S2PS_IMAGES (var/images). Layers are kept in
S2PS_TEST_CACHE/images (~/.cache/s2ps/images) under the hash of what they are made from; `--fresh` makes them anew,
with the package versions Debian has today. `--describe ARCHIVE` writes the bill of materials of an image made
elsewhere beside its archive.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ipf_adapters.images import sbom
from ipf_adapters.images.build import Workshop
from ipf_adapters.images.inspection import inspect
from ipf_adapters.images.recipe import recipe_names


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the images named, or all; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ipf_adapters.images", description="Build container images.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(recipe_names())}; default: all")
    parser.add_argument("--output", type=Path, help="folder of the archives (default S2PS_IMAGES or var/images)")
    parser.add_argument("--fresh", action="store_true", help="do not use kept layers")
    parser.add_argument("--describe", type=Path, metavar="ARCHIVE", help="OCI archive to write a bill of materials of")
    options = parser.parse_args(arguments)
    try:
        if options.describe:
            return describe(options.describe)
        workshop = Workshop.of_environment(options.output, fresh=options.fresh)
        for name in options.names or recipe_names():
            begun = time.monotonic()
            built = workshop.build(name)
            seconds = time.monotonic() - begun
            print(f"{built.tag}  {built.digest}  {workshop.megabytes(name)}  {seconds:.1f} s", flush=True)
        workshop.cache.tidy()
    except (OSError, RuntimeError, ValueError) as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


def describe(archive: Path) -> int:
    """Print name and digest of an image and write its bill of materials beside its archive."""
    found = inspect(archive)
    bill = archive.with_suffix(".cdx.json")
    bill.write_text(sbom.document(found.built, found.components, found.created), encoding="utf-8")
    name = found.built.tag.rpartition(":")[0]
    print(f"{name}@{found.built.digest}  {len(found.components)} packages in {bill}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
