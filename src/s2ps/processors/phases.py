"""Phases of the chain: in which order they come, which level asks for them and when they exist."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from s2ps.model.mission import Level


class PhaseGroup(StrEnum):
    """Phases planned together: all they need to know is known at the same moment."""

    L0U = "l0u"
    DATASTRIP = "datastrip"
    L1B = "l1b"
    TILES = "tiles"


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: a group of tasks, the levels that need it, and whether it depends on reference images."""

    name: str
    level: Level
    group: PhaseGroup
    needed_by: frozenset[Level]
    """The phase is planned when one of these levels is asked for."""
    with_gri: bool | None = None
    """True: only when reference images were found; False: only when none were; None: always."""

    def wanted(self, levels: frozenset[Level], has_gri: bool) -> bool:
        """Tell whether a run to these levels contains the phase."""
        return bool(self.needed_by & levels) and self.with_gri in (None, has_gri)


_ALL = frozenset(Level)
_L0_ON = frozenset({Level.L0, Level.L1A, Level.L1B, Level.L1C, Level.L2A})
_L1_ON = frozenset({Level.L1A, Level.L1B, Level.L1C, Level.L2A})
_L1B_ON = frozenset({Level.L1B, Level.L1C, Level.L2A})
_L1C_ON = frozenset({Level.L1C, Level.L2A})

PHASES: tuple[Phase, ...] = (
    Phase("L0U", Level.L0U, PhaseGroup.L0U, _ALL),
    Phase("L0", Level.L0, PhaseGroup.DATASTRIP, _L0_ON),
    Phase("OLQC_L0DS", Level.L0, PhaseGroup.DATASTRIP, _L0_ON),
    Phase("OLQC_L0GR", Level.L0, PhaseGroup.DATASTRIP, _L0_ON),
    Phase("L1A", Level.L1A, PhaseGroup.DATASTRIP, _L1_ON),
    Phase("L1AFormatDS", Level.L1A, PhaseGroup.DATASTRIP, frozenset({Level.L1A})),
    Phase("L1AFormatGR", Level.L1A, PhaseGroup.DATASTRIP, frozenset({Level.L1A})),
    Phase("L1B", Level.L1B, PhaseGroup.L1B, _L1B_ON, with_gri=True),
    Phase("L1BNoGRI", Level.L1B, PhaseGroup.L1B, _L1B_ON, with_gri=False),
    Phase("OLQC_L1BDS", Level.L1B, PhaseGroup.L1B, frozenset({Level.L1B})),
    Phase("L1BFormatGR", Level.L1B, PhaseGroup.L1B, frozenset({Level.L1B})),
    Phase("OLQC_L1CDS", Level.L1C, PhaseGroup.TILES, _L1C_ON),
    Phase("L1CTile", Level.L1C, PhaseGroup.TILES, _L1C_ON),
    Phase("L2ADS", Level.L2A, PhaseGroup.TILES, frozenset({Level.L2A})),
    Phase("L2ATL", Level.L2A, PhaseGroup.TILES, frozenset({Level.L2A})),
)

PHASE_NAMES: tuple[str, ...] = tuple(phase.name for phase in PHASES)
_BY_NAME = {phase.name: phase for phase in PHASES}


def phase_of(name: str) -> Phase:
    """Return a phase by name; raises KeyError when there is none."""
    return _BY_NAME[name]


def wanted_phases(levels: frozenset[Level], has_gri: bool, until: PhaseGroup | None = None) -> tuple[Phase, ...]:
    """Return the phases of a run to these levels, in order, up to and including a group."""
    groups = list(PhaseGroup)
    last = len(groups) - 1 if until is None else groups.index(until)
    return tuple(p for p in PHASES if p.wanted(levels, has_gri) and groups.index(p.group) <= last)
