import zipfile
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from s2ps.formats import gipp
from s2ps.formats.eof_header import EofHeader
from s2ps.model.bands import Band
from s2ps.model.errors import InputError

DAY = datetime(2026, 6, 1, tzinfo=UTC)
CONTENTS: list[gipp.GippContent] = [
    gipp.DatationTiming(15.65873622, -19, 10, np.arange(156.0).reshape(12, 13) / 7),
    gipp.DefectivePixels((gipp.DefectivePixel("B10", 4, 17), gipp.DefectivePixel("B12", 9, 3))),
    gipp.DefectivePixels(()),
    gipp.Jp2Parameters(True, 1024, 5),
    gipp.Binning(3, ("B01", "B09")),
    gipp.QualityControl((gipp.CheckList("L0_DS", "SENSOR_QUALITY", ("lost", "saturated")),), 5.0),
    gipp.ProcessingBaselineL2("05.00", (gipp.ProcessorVersion("L2A", "SEN2COR_DS", "02.10.03"),)),
    gipp.ResamplingParameters("cubic <&> spline", 16, 32),
]


def _same(first: object, second: object) -> bool:
    for field in fields(first):  # type: ignore[arg-type]
        a, b = getattr(first, field.name), getattr(second, field.name)
        if not (np.allclose(a, b, rtol=1e-9) if isinstance(a, np.ndarray) else a == b and type(a) is type(b)):
            return False
    return type(first) is type(second)


def _write(folder: Path, content: gipp.GippContent, extension: str = ".xml", band: str = "00") -> Path:
    header = EofHeader("S2B", content.TYPE, DAY, DAY, band=band)
    path = folder / (header.name + extension)
    gipp.write_gipp(path, header, content)
    return path


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: type(content).__name__)
def test_round_trip(tmp_path: Path, content: gipp.GippContent) -> None:
    assert _same(gipp.read_gipp(_write(tmp_path, content), type(content)), content)


def test_an_archive_with_one_member_is_read(tmp_path: Path) -> None:
    path = _write(tmp_path, CONTENTS[5], ".zip")
    assert zipfile.is_zipfile(path)
    assert _same(gipp.read_gipp(path, gipp.QualityControl), CONTENTS[5])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("second.xml", "<a/>")
    with pytest.raises(InputError, match="2 XML members"):
        gipp.read_gipp(path, gipp.QualityControl)


def test_band_files_are_found_by_band(tmp_path: Path) -> None:
    contents = {band: gipp.DarkSignal(np.full((12, 4), float(band.index))) for band in Band}
    paths = [_write(tmp_path, content, band=band.name[1:]) for band, content in contents.items()]
    read = gipp.read_band_gipps(paths, gipp.DarkSignal)
    assert set(read) == set(Band)
    assert all(_same(read[band], contents[band]) for band in Band)
    with pytest.raises(InputError, match="B00"):
        gipp.read_band_gipps([_write(tmp_path, contents[Band.B01])], gipp.DarkSignal)


def test_settings_are_read_by_name(tmp_path: Path) -> None:
    header = EofHeader("S2_", "GIP_L2ACFG", DAY, DAY)
    path = tmp_path / f"{header.name}.xml"
    gipp.write_gipp(path, header, gipp.Settings((gipp.Setting("aot", "CAMS"), gipp.Setting("ozone", "ECMWF"))))
    assert gipp.read_settings(path) == {"aot": "CAMS", "ozone": "ECMWF"}


def test_another_type_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, CONTENTS[3])
    with pytest.raises(InputError, match=r"GIP_JP2KPA.*GIP_R2BINN"):
        gipp.read_gipp(path, gipp.Binning)
    with pytest.raises(InputError, match="GIP_R2BINN"):
        gipp.write_gipp(path, EofHeader("S2B", "GIP_R2BINN", DAY, DAY), CONTENTS[3])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("<tile_size>1024</tile_size>", ""), "tile_size"),
        (("1024", "big"), "tile_size.*big"),
        (("true", "yes"), "lossless.*yes"),
        (("</Data_Block>", ""), "not XML"),
        (("<Validity_Start>UTC=2026", "<Validity_Start>UTC=20x6"), "fixed header"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = _write(tmp_path, CONTENTS[3])
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(InputError, match=told) as caught:
        gipp.read_gipp(path, gipp.Jp2Parameters)
    assert path.name in str(caught.value)


def test_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("512")
    path = _write(tmp_path, CONTENTS[3])
    declaration = f'<!DOCTYPE e [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    path.write_text(path.read_text().replace("?>", "?>" + declaration, 1).replace("1024", "&x;"))
    with pytest.raises(InputError):
        gipp.read_gipp(path, gipp.Jp2Parameters)
