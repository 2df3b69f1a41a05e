"""Publication of what a downlink brings beside images: housekeeping telemetry (HKTM) and ancillary data (SAD).

Neither has quality reports or an inventory record: what is told of them stands in their names.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from s2ps.formats.manifest import write_plain_manifest
from s2ps.formats.manifest_metadata import Description
from s2ps.publication.placing import link_file, link_tree, place
from s2ps.publication.product_facts import Facts, is_downlink_item
from s2ps.publication.provenance import Provenance


def name_of(source: Path) -> str:
    """Return the name of an item that is a folder, or a single file with a suffix."""
    return source.name if source.is_dir() else source.stem


def find_items(folder: Path) -> Iterator[Path]:
    """Yield telemetry and ancillary data in an output folder of Level-0 ingestion: at its top or one folder below."""
    for path in sorted(folder.iterdir()):
        if is_downlink_item(name_of(path)):
            yield path
        elif path.is_dir():
            yield from (below for below in sorted(path.iterdir()) if is_downlink_item(name_of(below)))


def publish_downlink_item(source: Path, facts: Facts, centre: str, provenance: Provenance, destination: Path) -> Path:
    """Publish an item under its own name in `destination` and return the published path.

    A single file gets a folder. Raises PublicationError where another content is published under the name.
    """
    told = Description(
        facts.unit, f"Reception of {facts.kind}", facts.created, centre, start=facts.start, stop=facts.stop,
        absolute_orbit=facts.origin.absolute_orbit, relative_orbit=facts.origin.relative_orbit,
    )  # fmt: skip

    def build(folder: Path) -> None:
        if source.is_dir():
            link_tree(source, folder)
        else:
            link_file(source, folder / source.name)
        write_plain_manifest(folder, facts.kind, told)
        provenance.write(folder)

    return place(facts.name, destination, build)
