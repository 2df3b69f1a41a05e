"""Write everything of a simulated mission, in order."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ipf_adapters.science.terrain import Terrain
from ipf_adapters.simulation import downlink, relief
from ipf_adapters.simulation.atmosphere import Weather
from ipf_adapters.simulation.auxiliary import write_auxiliary
from ipf_adapters.simulation.earth import Surface
from ipf_adapters.simulation.gri import write_reference
from ipf_adapters.simulation.instrument import build_instrument
from ipf_adapters.simulation.mission import MissionSettings
from ipf_adapters.simulation.orbit import true_model
from ipf_adapters.simulation.radiometry import Exposure, Scenery
from ipf_adapters.simulation.sky import Sky
from s2ps.model.errors import ConfigurationError
from s2ps.model.mission import DETECTORS

Report = Callable[[str], None]
PARTS = ("static", "auxiliary", "gri", "session", "truth")
"""Folders of a mission, in the order in which they appear: where there is a truth, everything is there."""
ASIDE = ".simulation"


def steps(mission: MissionSettings) -> int:
    """Return how many times `simulate` reports."""
    return 4 + mission.datatakes * len(DETECTORS)


def weather_of(mission: MissionSettings) -> Weather:
    """Return the state of the air: it changes linearly around the middle of the site."""
    west, south, east, north = relief.site_bounds(mission)
    return Weather((west + east) / 2, (south + north) / 2)


def simulate(mission: MissionSettings, output: Path, *, gri: bool = True, report: Report = lambda _: None) -> Path:
    """Write a mission into a folder and return the folder of its session; raises ConfigurationError.

    Everything is written aside and moved to its place at the end, so an interrupted simulation leaves nothing behind
    that looks whole.
    """
    there = [name for name in PARTS if (output / name).exists()]
    if there or (output.exists() and not output.is_dir()):
        what = f"folder {output} holds {there[0]} already" if there else f"{output} is no folder"
        raise ConfigurationError(f"output {what}", next_step="name a new folder")
    aside = output / ASIDE
    if aside.exists():
        shutil.rmtree(aside)
    session = _write(mission, aside, gri, report)
    for name in PARTS:
        if (aside / name).exists():
            (aside / name).rename(output / name)
    aside.rmdir()
    return output / session.relative_to(aside)


def _write(mission: MissionSettings, output: Path, gri: bool, report: Report) -> Path:
    surface, sky = Surface(mission.seed, mission.centre), Sky(mission.seed, mission.centre)
    weather, instrument = weather_of(mission), build_instrument(mission)
    report("Heights and land cover")
    relief.write_static(mission, surface, output / "static")
    report("Auxiliary data")
    write_auxiliary(mission, instrument, weather, output / "auxiliary")
    terrain = Terrain(output / "static" / "S2IPF-DEMGLOBE", output / "static" / "S2IPF-DEMGEOID")
    if gri:
        report("Reference images")
        write_reference(mission, surface, weather, output / "gri")
    recorder = downlink.Recorder()
    for take in mission.takes():
        downlink.record_ancillary(recorder, take, instrument)
        exposure = Exposure(take, instrument, true_model(take, instrument), Scenery(surface, sky, weather, terrain))
        done = partial(report, f"Datatake {take.number + 1}: detectors")
        downlink.record_images(recorder, take, instrument, exposure, done)
    report("Session files")
    session = downlink.write_session(output / "session", mission, recorder)
    truth = output / "truth" / "truth.json"
    truth.parent.mkdir(parents=True)
    truth.write_text(mission.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return session
