"""
``ablation.json``: what an ablation found, for programs.
"""

import dataclasses
import json
from typing import Any

from ternary_trainer.ablation import commands
from ternary_trainer.ablation.plan import FORMAT
from ternary_trainer.ablation.result import Ablation, Row


def facts(found: Ablation) -> dict[str, Any]:
    """The result as one object; shares are in [0, 1], and so are their differences."""
    return {
        "format": FORMAT,
        "plan": found.plan.source,
        "base": found.plan.recipe,
        "seeds": list(map(str, found.plan.seeds)),
        "primary": found.primary.name,
        "rows": [_row(found, row) for row in found.rows],
    }


def to_bytes(found: Ablation) -> bytes:
    """The file."""
    return json.dumps(facts(found), indent=1).encode() + b"\n"


def _row(found: Ablation, row: Row) -> dict[str, Any]:
    return {
        "name": row.option.name,
        "set": dict(row.option.settings),
        "runs": [run.name for run in row.runs],
        "values": {name: list(values) for name, values in row.values.items()},
        "differences": {name: dataclasses.asdict(paired) for name, paired in row.differences.items()},
        "p_holm": row.p,
        "verdict": row.verdict,
        "command": commands.train(found.plan, row.option, found.plan.seeds[0]),
    }
