"""
Sets of operations that are counted exactly, and whose members are found by their rank.

``counted`` is the one place that chooses how: a listed space is tried operation by operation.
"""

import numpy as np

from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.ranked import Counted, Listed
from ternary_sdk._internal.logic.vast_counted import vast_counted
from ternary_sdk.space import Space

__all__ = ["Counted", "counted"]


def counted(space: Space, condition: Condition | None = None) -> Counted:
    """Count the operations of a space that meet a condition.

    Args:
        space: Which.
        condition: What they must be; None is nothing, so that all are counted and the rank is the index.
    Raises:
        InputError: If the condition means nothing in the space, or the space is vast and the operations that
            meet it cannot be counted.
    """
    if condition is None or not space.listed:
        return vast_counted(space, condition)
    condition.check(space)
    return Listed(space, np.flatnonzero(condition.holds(space.tables, space)))
