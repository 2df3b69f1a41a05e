"""The catalogue that comes with S2PS: complete, consistent, and in agreement with what is known of the chain."""

from __future__ import annotations

import pytest

from s2ps.model.dimensions import Dimension
from s2ps.model.errors import CatalogueError
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.processors.check import check, expected_pairs, producer_consumer_pairs
from s2ps.processors.loader import load_baseline
from s2ps.processors.spec import InputSpec, ProcessorSpec, Source


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_baseline()


def test_has_all_processors(catalogue: Catalogue) -> None:
    assert len(catalogue.processors) == 49
    assert len(catalogue) == 71


def test_check_passes_with_all_known_pairs(catalogue: Catalogue) -> None:
    pairs = expected_pairs()
    assert len(pairs) == len(set(pairs)) == 147
    report = check(catalogue, pairs)
    assert report.lines() == []
    assert report.passed


def test_check_names_what_is_missing(catalogue: Catalogue) -> None:
    kept = [spec for name, spec in catalogue.processors.items() if name != "RADIO_AB"]
    report = check(Catalogue("x", kept), expected_pairs())
    assert "RADIO_FINALIZE@L1A input VECTOR from RADIO_AB@L1A" in report.missing_producers
    assert ("DECOMP", "RADIO_AB") in report.missing_pairs
    with pytest.raises(CatalogueError, match="no data goes from RADIO_AB to GEN_ORTHO_TOA"):
        report.raise_if_failed()


def test_check_finds_a_cycle_and_an_unknown_type(catalogue: Catalogue) -> None:
    specs = dict(catalogue.processors)
    step = specs["GSE"].steps[0]
    looped = InputSpec(type="PDI_DS", producers=(Source(task="INIT_LOC_L0"),))
    wrong = InputSpec(type="NO_SUCH", producers=(Source(task="INIT_LOC_L0"),))
    changed = step.model_copy(update={"inputs": (*step.inputs, looped, wrong)})
    specs["GSE"] = specs["GSE"].model_copy(update={"steps": (changed,)})
    report = check(Catalogue("x", specs.values()))
    assert report.cycles == ("GSE@L0 and INIT_LOC_L0@L0",)
    assert report.unknown_types == ("GSE@L0 input NO_SUCH: INIT_LOC_L0@L0 makes no NO_SUCH",)


def test_exit_policies(catalogue: Catalogue) -> None:
    strict = {name for name, spec in catalogue.processors.items() if spec.exit_policy == "strict"}
    assert strict == {
        "GSE", "OLQC", "INV_MTD_L0", "INV_MTD_L1", "INV_MTD_L2", "SEN2COR_DS", "SEN2COR_TL", "COMPRESS_TILE_IMAGE",
        "FORMAT_METADATA_DS_L2A", "FORMAT_METADATA_TILE_L2A",
    }  # fmt: skip


def test_versions_that_differ_from_the_release(catalogue: Catalogue) -> None:
    versions = {name: spec.version for name, spec in catalogue.processors.items() if spec.version != "06.01.00"}
    assert versions == {
        "INIT_VS_GEO": "06.01.01", "RESAMPLE_TO_VS": "06.01.01", "SPATIO": "06.01.01", "TP_COLLECT": "06.01.01",
        "TP_FILTER": "06.01.01", "TILE_INIT": "06.01.03", "FORMAT_METADATA_DS_L1B": "06.01.04",
        "EISP_ING_TYP": "3.0.4", "INV_MTD_L0": "03.00.03", "INV_MTD_L1": "06.01.04", "INV_MTD_L2": "6.1.0",
        "SEN2COR_DS": "02.10.03", "SEN2COR_TL": "02.10.03",
    }  # fmt: skip


def test_decomp_is_declared_as_the_contract_shows(catalogue: Catalogue) -> None:
    step = catalogue.step(StepKey("L1A", "DECOMP"))
    assert step.spec.split == (Dimension.DETECTOR, Dimension.BAND, Dimension.ATF)
    assert step.spec.auxiliary == ("GIP_R2PARA", "GIP_BLINDP")
    granules = next(entry for entry in step.spec.inputs if entry.type == "PDI_GR_LIST")
    assert [step.source_key(source) for source in granules.producers] == [
        StepKey("L1A", "UNFORMAT_SAFE_GR"),
        StepKey("L1A", "UPDATE_LOC"),
    ]
    assert {step.output_type(granules, source) for source in granules.producers} == {"PDI_DS_GR_LIST"}


def test_every_geometry_processor_gets_what_it_needs_to_locate(catalogue: Catalogue) -> None:
    names = (
        "INIT_LOC_L0 QL_GEO UPDATE_LOC INIT_LOC_L1 RADIO_FINALIZE GET_GRI INIT_VS_GEO RESAMPLE_TO_VS TP_COLLECT "
        "TP_FILTER SPATIO GEO1B_FINALIZE GET_TILE_LIST GEN_ORTHO_TOA TILE_FINALIZE FORMAT_METADATA_DS_L1C"
    )
    for name in names.split():
        for step in catalogue.processors[name].steps:
            assert {"GIP_VIEDIR", "GIP_DATATI", "IERS"} <= set(step.all_auxiliary), name
            assert len(set(step.all_auxiliary)) == len(step.all_auxiliary), name


def test_shared_folders_have_become_data(catalogue: Catalogue) -> None:
    """Where the reference lets tasks write into one folder, each reader now names the writers it needs."""
    sources = {
        entry.type: [source.task for source in entry.producers]
        for entry in catalogue.step(StepKey("L1B", "TP_FILTER")).spec.inputs
    }
    writers = ["INIT_VS_GEO", "RESAMPLE_TO_VS_IMAGE", "RESAMPLE_TO_VS_GRI", "TP_COLLECT"]
    assert sources["VIRTUAL_SENSOR"] == writers
    assert sources["HOMOLOG_POINTS_LIST"] == ["TP_COLLECT", "TP_COLLECT"]
    collect = catalogue.step(StepKey("L1B", "TP_COLLECT")).spec
    assert collect.omitted == ("TIE_POINTS", "GCP_POINTS")
    readers = {
        step.key.task
        for step in catalogue
        for entry in step.spec.inputs
        if entry.type in ("VIRTUAL_SENSOR", "GCP_POINTS", "TIE_POINTS", "HOMOLOG_POINTS_LIST") and not entry.producers
    }
    assert readers == set()


def test_only_the_session_and_working_directories_come_from_outside(catalogue: Catalogue) -> None:
    external = {(entry.type, entry.external) for step in catalogue for entry in step.spec.inputs if entry.external}
    assert external == {("STO_CADU_S", "session"), ("PERSISTENT_RESOURCES", "workspace")}


def test_two_pass_processors_differ_in_their_options(catalogue: Catalogue) -> None:
    assert catalogue.step(StepKey("L1B", "UNFORMAT_GRI_MASK")).spec.options["MASK_AGGREGATION"] == "true"
    assert catalogue.step(StepKey("L1B", "UNFORMAT_GRI")).spec.options["GRI_DECOMPRESSION"] == "true"
    for task, product in (("RESAMPLE_TO_VS_IMAGE", "IMAGE"), ("RESAMPLE_TO_VS_GRI", "GRI")):
        assert catalogue.step(StepKey("L1B", task)).spec.options["PRODUCT_TYPE"] == product


def test_pairs_know_tasks_and_processors(catalogue: Catalogue) -> None:
    pairs = producer_consumer_pairs(catalogue)
    assert ("OLQC", "INV_MTD_L0_DS") in pairs
    assert ("OLQC_DS_L0", "INV_MTD_L0") in pairs
    assert ("GEN_ORTHO_TOA", "DECOMP") not in pairs


def test_named_wants_one_step(catalogue: Catalogue) -> None:
    assert catalogue.named("GET_TILE_LIST@L1B") == StepKey("L1B", "GET_TILE_LIST")
    with pytest.raises(CatalogueError, match="L1B, L1BNoGRI"):
        catalogue.named("GET_TILE_LIST")
    with pytest.raises(CatalogueError, match="none"):
        catalogue.named("GET_TILES")


def test_step_names_what_the_phase_has(catalogue: Catalogue) -> None:
    with pytest.raises(CatalogueError, match="OLQC_DS_L0"):
        catalogue.step(StepKey("OLQC_L0DS", "OLQC"))


def test_fingerprint_follows_versions(catalogue: Catalogue) -> None:
    specs = dict(catalogue.processors)
    assert Catalogue(catalogue.baseline, specs.values()).fingerprint() == catalogue.fingerprint()
    specs["DECOMP"] = specs["DECOMP"].model_copy(update={"version": "06.01.09"})
    assert Catalogue(catalogue.baseline, specs.values()).fingerprint() != catalogue.fingerprint()


def test_a_name_twice_is_refused(catalogue: Catalogue) -> None:
    spec: ProcessorSpec = catalogue.processors["DECOMP"]
    with pytest.raises(CatalogueError, match="DECOMP is defined twice"):
        Catalogue("x", [spec, spec])
