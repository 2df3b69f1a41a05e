"""Is a document valid STAC, with all its extensions? Asked of stac-validator, with schemas that dev packages carry.

`make` fetches what `requirements/schemas.txt` names into `.venv/schemas`; nothing is fetched while tests run.
"""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from pystac.validation.local_validator import get_local_schema_cache
from stac_validator.stac_validator import StacValidate

PACKAGES = Path(sys.prefix) / "schemas"
_EXTENSIONS = "https://stac-extensions.github.io/"
_OF_EOPF = {
    "eopf/product/stac_extensions/extensions/processing_v1.2.0.json": f"{_EXTENSIONS}processing/v1.2.0/schema.json"
}
Findings = Callable[[dict[str, Any]], list[str]]


@pytest.fixture(scope="session")
def stac_findings(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    """Say what is wrong with an item, collection or catalogue; an empty list: it is valid."""
    folder = tmp_path_factory.mktemp("stac-schemas")
    known: dict[str, str] = {}
    for number, (uri, schema) in enumerate([*get_local_schema_cache().items(), *_of_extensions()]):
        path = folder / f"{number}.json"
        path.write_text(json.dumps(schema))
        known[uri] = str(path)

    def findings(document: dict[str, Any]) -> list[str]:
        asked = StacValidate(schema_map=dict(known))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(requests, "get", _refuse)
            valid = asked.validate_dict(json.loads(json.dumps(document)))
        said = asked.message[0]
        used = set(said["schema"])
        unchecked = [uri for uri in document.get("stac_extensions", ()) if known.get(uri) not in used | {None}]
        wrong = [str(said[each]) for each in ("error_type", "error_message") if each in said]
        missing = [f"not checked: {uri}" for uri in unchecked if not wrong]
        return [f"{document['id']}: {each}" for each in (*wrong, *missing, *([] if valid else ["not valid"]))]

    return findings


def _of_extensions() -> Iterator[tuple[str, Any]]:
    """Yield the schemas of extensions: those that the tests of pystac's modules once got, and one of eopf."""
    for path in sorted(PACKAGES.glob("*.tar.gz")):
        with tarfile.open(path) as package:
            for name in package.getnames():
                if "/cassettes/" in name and name.endswith(".yaml"):
                    yield from _answers(yaml.safe_load(package.extractfile(name) or ""))
    for path in PACKAGES.glob("eopf-*.whl"):
        with zipfile.ZipFile(path) as package:
            yield from ((uri, json.loads(package.read(name))) for name, uri in _OF_EOPF.items())


def _answers(cassette: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for each in cassette["interactions"]:
        uri = each["request"]["uri"]
        if uri.startswith(_EXTENSIONS) and each["response"]["status"]["code"] == 200:
            yield uri, json.loads(each["response"]["body"]["string"])


def _refuse(address: str, **_: Any) -> None:
    raise ValueError(f"no package carries the schema {address}; add one to requirements/schemas.txt")
