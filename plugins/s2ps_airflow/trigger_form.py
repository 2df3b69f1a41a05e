"""The form with which a datatake is triggered by hand."""

from __future__ import annotations

from collections.abc import Sequence

from airflow.sdk import Param

from s2ps.model.mission import Level
from s2ps_airflow import texts

FIRST_LEVELS = [str(level) for level in Level if level is not Level.L0U]


def datatake_params(strategies: Sequence[str], baselines: Sequence[str]) -> dict[str, Param]:
    """Return the fields of the trigger form."""
    return {
        "datatake": Param(None, type=["null", "string"], title="Datatake", description=texts.PARAM_DATATAKE),
        "strategy": Param(
            strategies[0], enum=list(strategies), type="string", title="Strategy", description=texts.PARAM_STRATEGY
        ),
        "processing_baseline": Param(baselines[0], enum=list(baselines), type="string", title="Processing baseline"),
        "from_level": Param(
            None,
            enum=[None, *FIRST_LEVELS],
            type=["null", "string"],
            title="From level",
            description=texts.PARAM_FROM_LEVEL,
        ),
        "faults": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            section="Advanced",
            title="Faults",
            description=texts.PARAM_FAULTS,
        ),
    }
