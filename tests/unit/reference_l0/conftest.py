"""A session of a tiny datatake, ingested once for all tests of Level 0, and a way to run processors in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from unit.reference_l0.downlinks import Run, mission, record

from ipf_adapters.reference import registry
from ipf_adapters.reference.context import JobContext
from ipf_adapters.simulation import relief
from ipf_adapters.simulation.auxiliary import write_auxiliary
from ipf_adapters.simulation.downlink import write_session
from ipf_adapters.simulation.earth import Surface
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.run import weather_of
from s2ps.formats.job_order import JobOrder, JobOrderInput, JobOrderOutput

CREATION = "2026-07-01T12:00:00Z"


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete session of one datatake."""
    settings = mission()
    return write_session(tmp_path_factory.mktemp("session"), settings, record(settings))


@pytest.fixture(scope="session")
def run_job() -> Run:
    """Run a processor in this process: `run_job(NAME, folder, inputs={}, outputs=(...), **parameters)` -> folder."""

    def run(name: str, folder: Path, inputs: dict[str, object], outputs: tuple[str, ...], **parameters: str) -> Path:
        listed = []
        for file_type, paths in inputs.items():
            many = tuple(paths) if isinstance(paths, (list, tuple)) else (paths,)
            kind = "Directory" if all(Path(str(path)).is_dir() for path in many) else "Physical"
            listed.append(JobOrderInput(file_type, kind, tuple(Path(str(path)) for path in many)))
        made = tuple(JobOrderOutput(file_type, "Directory", folder / file_type) for file_type in outputs)
        common = {"CREATION_DATE": CREATION, "PROCESSING_BASELINE": "05.00", "PROCESSING_CENTER": "S2PS"}
        order = JobOrder("L0", name, "1", {**common, **parameters}, tuple(listed), made)
        registry.load(name)(JobContext.of(order))
        return folder

    return run


@pytest.fixture(scope="session")
def ingested(session: Path, run_job: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The job folder of EISP_ING_TYP on the session."""
    folder = tmp_path_factory.mktemp("eisp")
    return run_job("EISP_ING_TYP", folder, {"STO_CADU_S": session}, ("HKTM_FOLDER", "SAD_FOLDER", "DS_GR_FOLDER"))


@dataclass(frozen=True)
class Chain:
    """Job folders of the Level-0 chain, each made when first asked for."""

    root: Path
    ingestion: Path
    run_job: Run

    def aux(self, *types: str) -> dict[str, object]:
        """Return auxiliary inputs of some types."""
        names = {"IERS": "UT1UTC"}
        folder = self.root / "auxiliary"
        return {kind: sorted(folder.glob(f"*{names.get(kind, kind)}*")) for kind in types}

    def job(self, task: str) -> Path:
        """Return the folder of a finished job."""
        folder = self.root / task
        if not folder.exists():
            getattr(self, f"_{task}")(folder)
        return folder

    @property
    def raw(self) -> Path:
        """The output of the ingestion."""
        return self.ingestion / "DS_GR_FOLDER"

    def _gse(self, folder: Path) -> None:
        self.run_job("GSE", folder, {"PDI_L0U": self.raw}, ("PDI_L0U", "BACKUP_DIR"))

    def _init_loc(self, folder: Path) -> None:
        inputs = {"PDI_DS": self.raw, "PDI_DS_GR_LIST": self.raw, "PDI_SAD": self.job("gse") / "PDI_L0U"}
        inputs |= self.aux("GIP_VIEDIR", "GIP_DATATI", "IERS") | {"DEM_GLOBE": self.root / "static" / "S2IPF-DEMGLOBE"}
        self.run_job("INIT_LOC_L0", folder, inputs, ("PDI_DS", "PDI_DS_GR_LIST"))

    def _format_isp(self, folder: Path) -> None:
        inputs = {"PDI_DS": self.raw, "PDI_DS_GR_LIST": self.raw, "ISP_LIST": self.raw}
        self.run_job("FORMAT_ISP", folder, inputs, ("PDI_GR_LIST", "ISP_INFOS"))

    def _ql_geo(self, folder: Path) -> None:
        located = self.job("init_loc")
        inputs = {"PDI_DS": located / "PDI_DS", "ISP_UNCOMP_LIST": self.raw}
        inputs |= {"PDI_DS_GR_LIST": located / "PDI_DS_GR_LIST"}
        inputs |= self.aux("GIP_LREXTR", "GIP_VIEDIR", "GIP_DATATI", "IERS")
        self.run_job("QL_GEO", folder, inputs, ("PDI_DS_GR_LIST", "QUICKLOOK_GEO"))

    def _clouds(self, folder: Path) -> None:
        inputs = {"QUICKLOOK_GEO": self.job("ql_geo") / "QUICKLOOK_GEO", "PDI_DS": self.job("init_loc") / "PDI_DS"}
        inputs |= self.aux("GIP_R2ABCA", "GIP_CLOINV")
        self.run_job("QL_CLOUD_MASK", folder, inputs, ("VECTOR", "QUICKLOOK_CM"))

    def _ql_images(self, folder: Path) -> None:
        inputs = {"QUICKLOOK_CM": self.job("clouds") / "QUICKLOOK_CM"} | self.aux("GIP_JP2KPA")
        self.run_job("FORMAT_IMG_QL_L0", folder, inputs, ("QUICKLOOK",))

    def _granules(self, folder: Path) -> None:
        isp = self.job("format_isp")
        inputs = {"PDI_GR_LIST": isp / "PDI_GR_LIST", "ISP_INFOS": isp / "ISP_INFOS"}
        inputs |= {"PDI_DS_GR_LIST": self.job("ql_geo") / "PDI_DS_GR_LIST", "VECTOR": self.job("clouds") / "VECTOR"}
        self.run_job("FORMAT_METADATA_GR_L0C", folder, inputs, ("PDI_DS_GR_LIST",))

    def _datastrip(self, folder: Path) -> None:
        inputs = {"PDI_DS": self.job("init_loc") / "PDI_DS", "QUICKLOOK": self.job("ql_images") / "QUICKLOOK"}
        inputs |= {"PDI_SAD": self.job("gse") / "PDI_L0U", "ISP_INFOS": self.job("format_isp") / "ISP_INFOS"}
        inputs |= self.aux("GIP_DATATI", "GIP_VIEDIR", "IERS")
        self.run_job("FORMAT_METADATA_DS_L0C", folder, inputs, ("PDI_DS",))


@pytest.fixture(scope="session")
def chain(ingested: Path, run_job: Run, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """The Level-0 chain of the session, with auxiliary and static data of its mission."""
    settings, root = mission(), tmp_path_factory.mktemp("chain")
    write_auxiliary(settings, build_instrument(settings), weather_of(settings), root / "auxiliary")
    relief.write_static(settings, Surface(settings.seed, settings.centre), root / "static")
    return Chain(root, ingested, run_job)
