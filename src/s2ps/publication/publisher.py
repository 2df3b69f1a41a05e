"""From published folders to what users find: package, quick-look, record, STAC item; in this order, each one once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from s2ps.inventory.exclusion import exclusive
from s2ps.inventory.publications import Checksum, Publication, PublicationStore, identify
from s2ps.inventory.store import Inventory
from s2ps.model.errors import PublicationError
from s2ps.model.timestamps import format_utc
from s2ps.publication.archive import archive_of
from s2ps.publication.attributes import attributes_of
from s2ps.publication.package_store import PackageStore, open_packages
from s2ps.publication.packages import Package, folder_of, write_package
from s2ps.publication.pictures import Pictures
from s2ps.publication.product_facts import Facts, Origin, read_facts
from s2ps.publication.quicklook import COG_TYPE, JPEG_TYPE
from s2ps.publication.retention import Retention
from s2ps.publication.stac_assets import Looks
from s2ps.publication.stac_catalogue import StaticCatalogue
from s2ps.publication.stac_item import item_of
from s2ps.publication.withdrawal import Withdrawals
from s2ps.settings import Settings

_TRIES = 10
GEOTIFF_SUFFIX, PREVIEW_SUFFIX = "-ql.tif", "-ql.jpg"


class Publisher:
    """Publishes folders to a package store, the publications of an inventory and the STAC catalogue of the store.

    Every call can be repeated, after a kill at any moment and beside another process that does the same: a package is
    visible when it is whole, a record appears in one transaction after it, and what is there is recognised.
    """

    def __init__(self, store: PackageStore, inventory: Inventory, retention: Retention, products: Path) -> None:
        self.store = store
        self.inventory = inventory
        self.publications = PublicationStore(inventory, self._size_of)
        self.catalogue = StaticCatalogue(store)
        self.withdrawals = Withdrawals(store, inventory, self.publications, self.catalogue, products)
        self.retention = retention
        self._products = products

    @classmethod
    def of(cls, settings: Settings, inventory: Inventory) -> Publisher:
        """Return the publisher of an installation."""
        store = open_packages(settings.packages_uri)
        return cls(store, inventory, Retention.load(settings.retention), settings.place("products"))

    @contextmanager
    def batch(self, origin: Origin) -> Iterator[Batch]:
        """Publish products of one datatake; the catalogue links them when the block ends, however it ends."""
        batch = Batch(self, origin, Pictures(self._products))
        try:
            with self.inventory.engine.connect():  # SQLite writes its log back whenever the last connection ends
                yield batch
        finally:
            self.catalogue.refresh(batch.changed)

    def _size_of(self, location: str) -> int:
        size = self.store.size(self.store.key(location))
        if size is None:
            raise PublicationError(f"package {location} is not there", next_step="publish its product again")
        return size


@dataclass(slots=True)
class Batch:
    """The publication of some products of one datatake."""

    publisher: Publisher
    origin: Origin
    pictures: Pictures
    changed: set[tuple[str, str]] = field(default_factory=set)
    """Collections and datatakes whose catalogues have to follow."""

    def publish(self, product: Path) -> Publication:
        """Publish a folder and return its record; one that is published already is only looked at.

        Raises PublicationError when the name stands for another content, or InputError for metadata that do not do.
        """
        name = archive_of(product).name
        for _ in range(_TRIES):
            self.publisher.withdrawals.finish(name, keep_folder=True)
            known = self.publisher.publications.get(identify(name))
            made = None if known is not None and self._is_whole(known) else self._made(product)
            with exclusive(self.publisher.inventory, name):
                published = self._publish(made or known)
            if published is not None:
                return published
        raise PublicationError(f"product {name} is removed again and again", next_step="look at who removes it")

    def _made(self, product: Path) -> Publication:
        """Write package and quick-look, and return their record."""
        facts = read_facts(product, self.origin)
        folder = folder_of(facts.name, facts.start)
        package = write_package(product, self.publisher.store, folder)
        made = datetime.now(UTC)
        looks = self._looks(facts, folder)
        return self._record(facts, package, looks, made)

    def _publish(self, given: Publication | None) -> Publication | None:
        """Record a product and its item; return None when it was removed meanwhile, and nothing is done.

        Whoever comes here holds the name, and so does who removes: there is no record without its files.
        """
        if given is None or self.publisher.withdrawals.has_begun(given.name) or not self._is_whole(given):
            return None
        published = self.publisher.publications.publish(given)
        self._catalogue(published)
        return published

    def _is_whole(self, given: Publication) -> bool:
        store, assets = self.publisher.store, (given.stac_item or {}).get("assets", {})
        looks = [asset["href"] for name, asset in assets.items() if name in ("overview", "thumbnail")]
        there = store.size(store.key(given.location)) == given.content_length
        return there and all(store.size(store.key(uri)) is not None for uri in looks)

    def _looks(self, facts: Facts, folder: str) -> Looks | None:
        quicklook = self.pictures.quicklook(facts)
        if quicklook is None:
            return None
        store, name = self.publisher.store, facts.name.removesuffix(".SAFE")
        geotiff, preview = f"{folder}/{name}{GEOTIFF_SUFFIX}", f"{folder}/{name}{PREVIEW_SUFFIX}"
        store.write(geotiff, quicklook.geotiff, COG_TYPE)
        store.write(preview, quicklook.preview, JPEG_TYPE)
        return Looks(store.uri(geotiff), store.uri(preview))

    def _record(self, facts: Facts, package: Package, looks: Looks | None, made: datetime) -> Publication:
        published = datetime.now(UTC)
        kind = facts.level if facts.kind not in ("HKTM", "SAD") else facts.type.rstrip("_")
        evicted = self.publisher.retention.eviction(kind, facts.name, published)
        return Publication(
            name=package.name,
            content_type=package.content_type,
            content_length=package.size,
            checksums=(Checksum("MD5", package.md5, made), Checksum("SHA256", package.sha256, made)),
            origin_date=self.origin.t0,
            published_at=published,
            content_start=facts.start,
            content_end=facts.stop,
            location=package.location,
            datatake=self.origin.datatake,
            level=facts.level,
            eviction_date=evicted,
            footprint=facts.footprint,
            attributes=attributes_of(facts),
            quicklook=looks.preview if looks else None,
            stac_item=item_of(facts, package, looks, published, evicted),
        )

    def _catalogue(self, publication: Publication) -> None:
        if publication.stac_item is None:
            return
        self.publisher.catalogue.add(_as_published(publication, publication.stac_item), publication.datatake)
        self.changed.add((publication.stac_item["collection"], publication.datatake))


def _as_published(publication: Publication, item: dict[str, Any]) -> dict[str, Any]:
    """Return the item with the moment that the record has: moments of publication grow from record to record."""
    return {**item, "properties": {**item["properties"], "published": format_utc(publication.published_at)}}
