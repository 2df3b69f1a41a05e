"""A session is taken only when it is whole; what is wrong is named."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from s2ps.formats.dsib import Dsib, write_dsib
from s2ps.model.errors import InputError
from s2ps.production.sessions import read_session

pytestmark = pytest.mark.unit
SESSION = "S2B_20260701101559048123"
NOW = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for channel in (1, 2):
        place = tmp_path / f"ch_{channel}"
        place.mkdir()
        names = [f"DCS_05_{SESSION}_ch{channel}_DSDB_{block:05d}.raw" for block in (1, 2, 3)]
        for name in names:
            (place / name).write_bytes(bytes(1024))
        dsib = Dsib(SESSION, NOW, NOW, NOW, NOW, 3 * 1024, tuple(names))
        write_dsib(place / f"DCS_05_{SESSION}_ch{channel}_DSIB.xml", dsib)
    return tmp_path


def test_a_whole_session(folder: Path) -> None:
    session = read_session(folder)
    assert (session.id, session.station_unit) == (SESSION, "05")
    assert [channel.number for channel in session.channels] == [1, 2]
    assert len(session.files) == 8
    assert session.t0.timestamp() == int(max(file.stat().st_mtime for file in session.files))


def test_missing_channel(folder: Path) -> None:
    next(folder.glob("ch_2/*DSIB.xml")).unlink()
    with pytest.raises(InputError, match="channel 2 is missing"):
        read_session(folder)


def test_missing_block(folder: Path) -> None:
    (folder / "ch_1" / f"DCS_05_{SESSION}_ch1_DSDB_00002.raw").unlink()
    with pytest.raises(InputError, match=r"DSDB_00002\.raw is missing"):
        read_session(folder)


def test_truncated_block(folder: Path) -> None:
    (folder / "ch_2" / f"DCS_05_{SESSION}_ch2_DSDB_00002.raw").write_bytes(bytes(1000))
    with pytest.raises(InputError, match=r"DSDB_00002\.raw is truncated.*3072 bytes"):
        read_session(folder)


def test_foreign_dsib(folder: Path) -> None:
    path = next(folder.glob("ch_1/*DSIB.xml"))
    path.write_text(path.read_text().replace(SESSION, "S2B_20260101000000000001"))
    with pytest.raises(InputError, match="S2B_20260101000000000001"):
        read_session(folder)


def test_no_folder_and_no_dsib(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_session(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no DSIB"):
        read_session(tmp_path)


def test_dsib_that_wants_a_file_from_outside(folder: Path) -> None:
    path = next(folder.glob("ch_1/*DSIB.xml"))
    secret = folder / "secret.txt"
    secret.write_text("secret")
    text = path.read_text().replace("<DCSU", f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]><DCSU', 1)
    path.write_text(text.replace(f"<session_id>{SESSION}", "<session_id>&e;", 1))
    with pytest.raises(InputError, match="DSIB"):
        read_session(folder)
