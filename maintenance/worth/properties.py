"""
The properties of two-input ternary operations that are predicted, by the names under which results are kept.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk import logic
from ternary_sdk.logic import Condition
from ternary_sdk.space import TERNARY_2, Tables

Mask = npt.NDArray[np.bool_]

_CONDITIONS: Final[Mapping[str, Condition]] = {
    "commutative": logic.commutative,
    "balanced": logic.balanced,
    "monotone": logic.monotone,
    "associative": logic.associative,
    "surjective": logic.surjective,
    "essentially unary": logic.essentially_unary | logic.constant,
    "self-dual": logic.self_dual,
    "idempotent": logic.idempotent,
}


def properties(tables: Tables) -> Mapping[str, Mask]:
    """Which operations have each property.

    Args:
        tables: Trits, shape (n, 9).
    Returns:
        For each property a mask, shape (n,).
    """
    return {name: condition.holds(tables, TERNARY_2) for name, condition in _CONDITIONS.items()}
