"""Processors compute with the values of their parameter files and refuse those they cannot follow."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.reference_l1.chain import Chain
from unit.reference_l1.small_session import VERSION, gipp, write_parameters

from ipf_adapters.reference.errors import InvalidInput
from ipf_adapters.reference.l1a.footprints import scene_ring
from ipf_adapters.reference.l1a.radio_ab import CORRECTIONS_NOT_MADE
from ipf_adapters.science.terrain import Terrain
from ipf_adapters.science.working import read_datastrip
from s2ps.formats.pdi_metadata import metadata_file, read_pdi_metadata
from s2ps.model.bands import Band


@pytest.mark.parametrize("file_type", sorted(CORRECTIONS_NOT_MADE))
def test_correction_that_is_not_made_is_refused(chain: Chain, folder: Path, file_type: str) -> None:
    path = write_parameters(folder, gipp.Settings((gipp.Setting("enabled", "true"),)), file_type)
    inputs: dict[str, Path | list[Path]] = {
        "PDI_DS": chain.out("UPDATE_LOC", "PDI_DS"),
        "PDI_ATF_LIST": chain.session.root / "fused" / "PDI_ATF_LIST",
        file_type: path,
    }
    outputs = ("PDI_GR_LIST", "PDI_ATF_LIST", "VECTOR")
    with pytest.raises(InvalidInput, match=f"{path.name}: enabled=true: RADIO_AB makes no .*: expected enabled=false"):
        chain.session.run("RADIO_AB", inputs, outputs, task=f"asked-{file_type}")
    assert not list(chain.session.folder(f"asked-{file_type}", "PDI_ATF_LIST").glob("*"))


def test_metadata_name_version_of_parameter_files_and_elevation_model(chain: Chain) -> None:
    item = next(chain.out("FORMAT_METADATA_DS_L1B", "PDI_DS").glob("*_MSI_L1B_DS_*"))
    metadata = read_pdi_metadata(metadata_file(item))
    assert {node.get("version") for node in metadata.root.iter("GIPP_FILENAME")} == {f"{VERSION:04d}"}
    assert metadata.text("PRODUCTION_DEM_TYPE") == "DEM_SRTM", "the folder of the session"
    assert metadata.text("SENSING_ORBIT_DIRECTION") == "DESCENDING"


def test_outlines_are_drawn_as_finely_as_the_parameter_file_says(chain: Chain) -> None:
    model, terrain = (
        chain.session.true_model,
        Terrain(chain.session.root / "DEM_SRTM", chain.session.root / "DEM_GEOID"),
    )
    info = read_datastrip(chain.session.root / "datastrip")
    location = gipp.DirectLocationParameters(0.01, 12, 20.0, 5, 2)
    fine = gipp.DirectLocationParameters(0.01, 12, 20.0, 9, 4)
    points = [len(scene_ring(model, info, 5, Band.B03, range(1, 3), terrain, some)) for some in (location, fine)]
    assert points == [2 * (4 + 4) + 1, 2 * (8 + 8) + 1]
