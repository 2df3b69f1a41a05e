import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from s2ps.formats.dsib import Dsib, read_dsib, write_dsib
from s2ps.model.errors import InputError

START = datetime(2026, 7, 1, 10, 18, tzinfo=UTC)
DSIB = Dsib(
    "S2B_1", START, START + timedelta(seconds=9), START, START + timedelta(seconds=10), 2048, ("a.raw", "b.raw")
)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "dsib.xml"
    write_dsib(path, DSIB)
    assert read_dsib(path) == DSIB


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("a.raw", "../a.raw"), "plain file name"),
        (("a.raw", "b.raw"), "twice"),
        (("<session_id>S2B_1</session_id>", ""), "session_id missing"),
        (("2048", "many"), "many"),
        (("</dsdb_list>", ""), "cannot be read"),
        (("DCSU_Session_Information_Block", "Something"), "Something"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "dsib.xml"
    write_dsib(path, DSIB)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(InputError, match=told) as caught:
        read_dsib(path)
    assert "dsib.xml" in str(caught.value)


def test_external_entities_are_not_resolved(tmp_path: Path) -> None:
    secret, path = tmp_path / "secret.txt", tmp_path / "dsib.xml"
    secret.write_text("SECRET")
    write_dsib(path, DSIB)
    text = path.read_text().replace("S2B_1", "&x;")
    declaration = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    path.write_text(text.replace("?>", "?>" + declaration, 1))
    with pytest.raises(InputError):
        read_dsib(path)


def test_real_dsibs_are_read() -> None:
    folder = os.environ.get("S2PS_REAL_DSIBS")
    if not folder:
        pytest.skip("S2PS_REAL_DSIBS names no folder with the two real DSIBs")
    for path in Path(folder).glob("*DSIB.xml"):
        dsib = read_dsib(path)
        assert dsib.session_id == "L20171109175634707000125"
        assert len(dsib.dsdb_names) == 35
