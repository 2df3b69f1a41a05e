"""Removal of products: invisible at once, by one transaction; then the catalogue, the package and the folder follow.

What is to go is written down before. A removal that is interrupted is finished by whoever looks next: the next removal,
or the publication of the same product. Both hold the name of the product while they change what is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from s2ps.inventory.exclusion import exclusive
from s2ps.inventory.publications import Publication, PublicationStore, identify
from s2ps.inventory.store import Inventory
from s2ps.model.errors import ConfigurationError, InputError, PublicationError, S2psError
from s2ps.publication.package_store import PackageStore
from s2ps.publication.placing import PARTIAL_PREFIX
from s2ps.publication.stac_catalogue import StaticCatalogue

FOLDER = "withdrawals"
_JSON = ".json"
_MANY = 1000
_ABANDONED = timedelta(days=1)
"""Age of an upload that nobody will finish."""


class Intention(BaseModel):
    """What goes with a product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    objects: tuple[str, ...]
    """Keys of package and quick-looks."""
    datatake: str
    item: str = ""
    collection: str = ""
    folder: str = ""
    """Published folder; empty when there is none."""


class Withdrawals:
    """Removes products from a package store, an inventory and a STAC catalogue."""

    def __init__(
        self,
        store: PackageStore,
        inventory: Inventory,
        publications: PublicationStore,
        catalogue: StaticCatalogue,
        products: Path,
    ) -> None:
        self._store = store
        self._inventory = inventory
        self._publications = publications
        self._catalogue = catalogue
        self._products = products

    def withdraw(self, name: str) -> Publication:
        """Remove a product by the name of its package or folder; raise PublicationError when there is none."""
        while not self._remove(published := self.find(name)):
            pass
        return published

    def find(self, name: str) -> Publication:
        """Return a published product by the name of its package or folder."""
        for candidate in (name, f"{name}.zip", f"{name}.tar"):
            found = self._publications.get(identify(candidate))
            if found is not None:
                return found
        raise PublicationError(f"product {name} is not published", next_step="look at the names the PRIP lists")

    def expired(self, now: datetime) -> tuple[Publication, ...]:
        """Return the products whose time is over, without removing them."""
        limit = _MANY
        while len(found := self._publications.expired(now, limit)) == limit:
            limit *= _MANY
        return found

    def expire(self, now: datetime) -> Iterator[Publication]:
        """Finish interrupted removals, then remove every product whose time is over and yield it.

        Leftovers of packagers that were killed go too. One that cannot be removed does not keep the others; at the end
        a PublicationError tells of it.
        """
        failed: dict[str, S2psError] = {}
        for name in self.pending():
            self._try(partial(self.finish, name), name, failed)
        while found := [each for each in self._publications.expired(now) if each.name not in failed]:
            for each in found:
                if self._try(partial(self._remove, each), each.name, failed):
                    yield each
        self._store.sweep(datetime.now(UTC) - _ABANDONED)
        if failed:
            name, error = next(iter(failed.items()))
            raise PublicationError(
                f"{len(failed)} products could not be removed; {name}: {error.message}", next_step=error.next_step
            ) from error

    def _try(self, action: Callable[[], bool], name: str, failed: dict[str, S2psError]) -> bool:
        try:
            return action()
        except (PublicationError, ConfigurationError) as error:
            failed[name] = error
            return False

    def pending(self) -> tuple[str, ...]:
        """Return the names of products whose removal has begun and not ended."""
        return tuple(name.removesuffix(_JSON) for name in self._store.names(FOLDER) if name.endswith(_JSON))

    def has_begun(self, name: str) -> bool:
        """Return whether the removal of a product has begun and not ended."""
        return self._store.size(_key(name)) is not None

    def begin(self, publication: Publication) -> None:
        """Write down what goes with a product; `finish` does it."""
        item = publication.stac_item or {}
        looks = [asset["href"] for name, asset in item.get("assets", {}).items() if name in ("overview", "thumbnail")]
        uris = dict.fromkeys(
            [publication.location, *looks, *([publication.quicklook] if publication.quicklook else [])]
        )
        intention = Intention(
            name=publication.name,
            objects=tuple(self._store.key(uri) for uri in uris),
            datatake=publication.datatake,
            item=item.get("id", ""),
            collection=item.get("collection", ""),
            folder=self._folder_of(publication.name),
        )
        self._store.write(_key(publication.name), intention.model_dump_json(indent=1).encode(), "application/json")

    def finish(self, name: str, *, keep_folder: bool = False) -> bool:
        """Finish a removal that has begun and return True; without one nothing happens.

        `keep_folder`: it was made anew meanwhile.
        """
        if not self.has_begun(name):
            return False
        with exclusive(self._inventory, name):
            self._finish(name, keep_folder)
            return True

    def _finish(self, name: str, keep_folder: bool) -> None:
        """Do what is written down. Whoever comes here holds the name, so nothing that is new is removed."""
        content = self._store.read(_key(name))
        if content is None:
            return
        intention = Intention.model_validate_json(content)
        self._publications.withdraw(name)
        if intention.item:
            self._catalogue.remove(intention.item, intention.collection, intention.datatake)
        self._store.delete(*intention.objects)
        if intention.folder:
            self._remove_folder(Path(intention.folder), keep=keep_folder)
        self._store.delete(_key(name))

    def _remove(self, publication: Publication) -> bool:
        """Remove a product; return False when it was removed, or published anew, since it was found."""
        with exclusive(self._inventory, publication.name):
            known = self._publications.get(publication.id)
            if known is None or known.published_at != publication.published_at:
                return False
            self.begin(publication)
            self._finish(publication.name, keep_folder=False)
            return True

    def _folder_of(self, name: str) -> str:
        folder = name.removesuffix(".zip").removesuffix(".tar")
        try:
            return str(self._inventory.product(folder).path)
        except InputError:
            places = (*self._products.glob("L*"), *self._products.glob("PDI/*"))
            return next((str(place / folder) for place in places if (place / folder).is_dir()), "")

    def _remove_folder(self, path: Path, *, keep: bool) -> None:
        """Make a published folder invisible by one rename, then remove it, and what the inventory knows of it."""
        if not path.is_relative_to(self._products):
            if keep:
                return
            raise PublicationError(
                f"{path} is not below {self._products}", next_step="set S2PS_PRODUCTS to where it was published"
            )
        hidden = path.with_name(f"{PARTIAL_PREFIX}withdrawn-{path.name}")
        if hidden.exists():
            shutil.rmtree(hidden)
        if keep:
            return
        if path.exists():
            path.rename(hidden)
            shutil.rmtree(hidden)
        self._inventory.forget_product(path.name)


def _key(name: str) -> str:
    return f"{FOLDER}/{name}{_JSON}"
