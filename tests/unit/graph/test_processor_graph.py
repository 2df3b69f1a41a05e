"""The graph of steps: edges from data, order of the chain, JSON and drawings."""

from __future__ import annotations

import json

import pytest

from s2ps.graph.draw import dot, mermaid, mermaid_edges, summary
from s2ps.graph.expand import expand
from s2ps.graph.partitions import Partitions
from s2ps.graph.processor_graph import ProcessorGraph
from s2ps.graph.space import ObservationSpace
from s2ps.model.errors import CatalogueError
from s2ps.processors.catalogue import Catalogue, StepKey
from s2ps.processors.loader import load_baseline


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_baseline()


def test_no_gri_branch_as_plain_data(catalogue: Catalogue) -> None:
    assert ProcessorGraph.of(catalogue, ["L1BNoGRI"]).to_dict() == {
        "steps": [
            {"task": "GEO1B_FINALIZE", "phase": "L1BNoGRI", "processor": "GEO1B_FINALIZE", "version": "06.01.00"},
            {
                "task": "FORMAT_METADATA_DS_L1B",
                "phase": "L1BNoGRI",
                "processor": "FORMAT_METADATA_DS_L1B",
                "version": "06.01.04",
            },
            {"task": "GET_TILE_LIST", "phase": "L1BNoGRI", "processor": "GET_TILE_LIST", "version": "06.01.00"},
        ],
        "edges": [
            ["GEO1B_FINALIZE@L1BNoGRI", "FORMAT_METADATA_DS_L1B@L1BNoGRI", "VECTOR", "VECTOR"],
            ["FORMAT_METADATA_DS_L1B@L1BNoGRI", "GET_TILE_LIST@L1BNoGRI", "PDI_DS", "PDI_DS"],
            ["FORMAT_METADATA_DS_L1B@L1BNoGRI", "GET_TILE_LIST@L1BNoGRI", "VECTOR", "VECTOR_DS_FOOTPRINT"],
            ["GEO1B_FINALIZE@L1BNoGRI", "GET_TILE_LIST@L1BNoGRI", "VECTOR", "VECTOR"],
        ],
    }


def test_the_order_puts_producers_first(catalogue: Catalogue) -> None:
    graph = ProcessorGraph.of(catalogue)
    place = {key: number for number, key in enumerate(graph.keys)}
    assert len(place) == 71
    assert all(place[edge.producer] < place[edge.consumer] for edge in graph.edges)


def test_survives_json(catalogue: Catalogue) -> None:
    graph = ProcessorGraph.of(catalogue)
    assert ProcessorGraph.from_dict(json.loads(json.dumps(graph.to_dict())), catalogue) == graph


def test_a_circle_is_named(catalogue: Catalogue) -> None:
    specs = dict(catalogue.processors)
    first = specs["GSE"].steps[0]
    entry = (
        specs["INIT_LOC_L0"]
        .steps[0]
        .inputs[2]
        .model_copy(update={"producers": (catalogue.step(StepKey("L0", "QL_GEO")).spec.inputs[0].producers[0],)})
    )
    specs["GSE"] = specs["GSE"].model_copy(update={"steps": (first.model_copy(update={"inputs": (entry,)}),)})
    with pytest.raises(CatalogueError, match=r"circle: .*GSE@L0"):
        ProcessorGraph.of(Catalogue("x", specs.values()))


def test_drawings_have_every_step_and_edge(catalogue: Catalogue) -> None:
    graph = ProcessorGraph.of(catalogue, ["L0U", "L0"])
    pairs = {(edge.producer, edge.consumer) for edge in graph.edges}
    text = mermaid(graph)
    assert text.startswith("flowchart LR\n")
    assert text.count("-->") == len(pairs)
    assert all(f'["{key.task}"]' in text for key in graph.keys)
    assert "|QUICKLOOK_GEO, ISP_UNCOMP_LIST|" in text
    drawing = dot(graph)
    assert drawing.count(" -> ") == len(pairs)
    assert '"INIT_LOC_L0@L0" -> "QL_GEO@L0" [label="PDI_DS, PDI_DS_GR_LIST"]' in drawing
    assert mermaid_edges(["a", "b"], [("a", "b")]) == 'flowchart LR\n  n0["a"]\n  n1["b"]\n  n0 --> n1\n'


def test_summary_counts_jobs_by_level(catalogue: Catalogue) -> None:
    graph = expand(ProcessorGraph.of(catalogue, ["L0U", "L0"]), ObservationSpace(granules=4), Partitions())
    assert summary(graph).splitlines() == [
        "level  phase  jobs  tasks",
        "L0U    L0U       1  EISP_ING_TYP",
        "L0     L0        8  FORMAT_ISP, GSE, INIT_LOC_L0, QL_GEO, QL_CLOUD_MASK, FORMAT_IMG_QL_L0, "
        "FORMAT_METADATA_DS_L0C, FORMAT_METADATA_GR_L0C",
        "       total     9",
    ]
