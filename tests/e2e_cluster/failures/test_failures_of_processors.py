"""Failures of one pod: its processor, its container, its memory, its disk."""

from __future__ import annotations

from e2e_cluster.failures.bench import Bench

TILE = "32TNQ"


def test_failed_processor_is_not_tried_again_and_only_what_is_missing_runs_after_it_was_corrected(bench: Bench) -> None:
    bench.fresh(TILE, "FORMAT_IMG_L1C:fail:150")
    with bench.watch() as watch:
        run_id = bench.trigger(TILE)
        assert bench.end(run_id) == "failed"
        task, log = bench.task(run_id), bench.log(run_id)
        assert (task.state, task.try_number) == ("failed", 1)
        assert "FORMAT_IMG_L1C tile=32TNQ ended with exit code 150" in log
        assert "fault injected by S2PS_FAULT" in log
        assert bench.ground.states(TILE)["TILE_FINALIZE"] == "done"
        (kept,) = bench.pods(TILE)
        assert kept.labels["s2ps-judged"] == "processor"
        bench.ground.plan()
        bench.again(run_id)
        assert bench.end(run_id) == "success"
    states = bench.ground.states(TILE)
    assert (states["GEN_ORTHO_TOA"], states["FORMAT_IMG_L1C"]) == ("reused", "done")
    assert len(watch.of(TILE)) == 2
    bench.assert_published(TILE)
