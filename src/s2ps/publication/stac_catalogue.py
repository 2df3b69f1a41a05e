"""A static STAC catalogue that many processes add to and remove from at once, in a folder or a bucket.

    stac/catalog.json
    stac/<collection>/collection.json
    stac/<collection>/<datatake>/catalog.json
    stac/<collection>/<datatake>/<item>.json

The items are the truth: every other document follows from what lies below it, so whoever has changed something writes
the documents above until they agree with what is there. Whoever is the last to write agrees, whatever the order.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pystac

from s2ps.model.errors import InputError, PublicationError
from s2ps.model.names import DatatakeName
from s2ps.model.timestamps import format_utc
from s2ps.publication.package_store import PackageStore

ROOT = "stac"
CATALOG, COLLECTION = "catalog.json", "collection.json"
JSON, GEOJSON = "application/json", "application/geo+json"
_ROOT, _COLLECTION, _DATATAKE = 0, 1, 2
_DOCUMENT = (CATALOG, COLLECTION, CATALOG)
_TRIES = 100
_MISSION = "2015-06-23T00:00:00Z"
_LEGAL = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"


class StaticCatalogue:
    """The catalogue below `stac/` of a package store."""

    def __init__(self, store: PackageStore) -> None:
        self._store = store

    def add(self, item: dict[str, Any], datatake: str) -> None:
        """Write or replace an item; `refresh` links it."""
        folder = _folder(item["collection"], datatake)
        links = [
            {"rel": "root", "href": f"../../{CATALOG}", "type": JSON},
            {"rel": "collection", "href": f"../{COLLECTION}", "type": JSON},
            {"rel": "parent", "href": f"./{CATALOG}", "type": JSON},
        ]
        key = f"{folder}/{item['id']}.json"
        content = _json({**item, "links": links})
        if self._store.read(key) != content:
            self._store.write(key, content, GEOJSON)

    def remove(self, item_id: str, collection: str, datatake: str) -> None:
        """Remove an item and every link to it, and what holds nothing then."""
        self._store.delete(f"{_folder(collection, datatake)}/{item_id}.json")
        self.refresh([(collection, datatake)])

    def refresh(self, changed: Iterable[tuple[str, str]]) -> None:
        """Bring the documents above changed items (collection and datatake) into agreement with what is there."""
        for collection, datatake in sorted(set(changed)):
            self._settle(_DATATAKE, _folder(collection, datatake))
            for depth, folder, child in (
                (_COLLECTION, f"{ROOT}/{collection}", f"{datatake}/{CATALOG}"),
                (_ROOT, ROOT, f"{collection}/{COLLECTION}"),
            ):
                whole = self._whole(depth + 1, f"{folder}/{child.split('/')[0]}")
                if whole != (f"./{child}" in self._linked(depth, folder)):
                    self._settle(depth, folder)

    def _settle(self, depth: int, folder: str) -> None:
        """Write a document until it says what is there; one with nothing below goes, after the link to it."""
        key = f"{folder}/{_DOCUMENT[depth]}"
        for _ in range(_TRIES):
            with self._store.lock(key):
                wanted = self._content(depth, folder)
                if wanted == self._store.read(key):
                    return
                if wanted is not None:
                    self._store.write(key, wanted, JSON)
                    continue
            self._settle(depth - 1, folder.rpartition("/")[0])
            with self._store.lock(key):
                if self._content(depth, folder) is None:
                    self._store.delete(key)
        raise PublicationError(f"{key} is changed again and again", next_step="run: s2ps publication refresh")

    def refresh_all(self) -> None:
        """Bring every document into agreement with what is there."""
        for collection in self._folders(ROOT):
            for datatake in self._folders(f"{ROOT}/{collection}"):
                self._settle(_DATATAKE, _folder(collection, datatake))
            self._settle(_COLLECTION, f"{ROOT}/{collection}")
        self._settle(_ROOT, ROOT)

    def _folders(self, folder: str) -> list[str]:
        return [name[:-1] for name in self._store.names(folder) if name.endswith("/")]

    def _whole(self, depth: int, folder: str) -> bool:
        """Return True when a folder has its document and an item somewhere below."""
        names = self._store.names(folder)
        if _DOCUMENT[depth] not in names:
            return False
        if depth == _DATATAKE:
            return len(names) > 1
        return any(self._whole(depth + 1, f"{folder}/{name[:-1]}") for name in names if name.endswith("/"))

    def _linked(self, depth: int, folder: str) -> set[str]:
        content = self._store.read(f"{folder}/{_DOCUMENT[depth]}")
        return set() if content is None else {link["href"] for link in json.loads(content)["links"]}

    def _content(self, depth: int, folder: str) -> bytes | None:
        """Return what the document of a folder has to say; None when there is nothing below."""
        if depth == _DATATAKE:
            names = [name for name in self._store.names(folder) if name != CATALOG and not name.endswith("/")]
            return _json(_datatake(folder, names)) if names else None
        below = [name for name in self._folders(folder) if self._whole(depth + 1, f"{folder}/{name}")]
        if depth == _COLLECTION:
            return _json(_collection(folder.rpartition("/")[2], below)) if below else None
        return _json(_catalog(below))


def _folder(collection: str, datatake: str) -> str:
    return f"{ROOT}/{collection}/{datatake}"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _child(name: str, document: str) -> dict[str, str]:
    return {"rel": "child", "href": f"./{name}/{document}", "type": JSON, "title": name}


def _catalog(collections: list[str]) -> dict[str, Any]:
    root = pystac.Catalog("s2ps", "Sentinel-2 products of this service", title="Sentinel-2 products")
    document = root.to_dict(include_self_link=False, transform_hrefs=False)
    links = [{"rel": "root", "href": f"./{CATALOG}", "type": JSON}]
    return {**document, "links": links + [_child(name, COLLECTION) for name in collections]}


def _collection(name: str, datatakes: list[str]) -> dict[str, Any]:
    """Return a collection; its period begins with its first datatake and is open, as production goes on."""
    title = name.removeprefix("sentinel-2-").upper().replace("-", " ")
    extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[_begin(datatakes), None]]}}
    links = [
        {"rel": "root", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{CATALOG}", "type": JSON},
        {"rel": "license", "href": _LEGAL, "type": "application/pdf"},
        *(_child(datatake, CATALOG) for datatake in datatakes),
    ]
    return {
        "type": "Collection", "stac_version": pystac.get_stac_version(), "id": name, "license": "other",
        "title": f"Sentinel-2 {title}", "description": f"Sentinel-2 products: {title}", "extent": extent,
        "links": links, "stac_extensions": [],
    }  # fmt: skip


def _begin(datatakes: list[str]) -> str:
    starts = []
    for name in datatakes:
        try:
            starts.append(format_utc(DatatakeName.parse(name).start, digits=0))
        except InputError:
            continue
    return min(starts, default=_MISSION)


def _datatake(folder: str, names: list[str]) -> dict[str, Any]:
    collection, datatake = folder.split("/")[-2:]
    catalog = pystac.Catalog(f"{collection}-{datatake}", f"Products of datatake {datatake}", title=datatake)
    document = catalog.to_dict(include_self_link=False, transform_hrefs=False)
    links = [
        {"rel": "root", "href": f"../../{CATALOG}", "type": JSON},
        {"rel": "parent", "href": f"../{COLLECTION}", "type": JSON},
        *({"rel": "item", "href": f"./{name}", "type": GEOJSON} for name in names),
    ]
    return {**document, "links": links}
