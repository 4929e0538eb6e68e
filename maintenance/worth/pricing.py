"""The cost of every two-input operation, kept while it is computed."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from maintenance.worth.synthesis import Cached
from ternary_sdk.space import TERNARY_2

PART: Final = 512
KEEP_EVERY_S: Final = 60.0


def all_costs(file: Path, tell: Callable[[str], None]) -> npt.NDArray[np.int64]:
    """AND nodes of all 19,683 operations in canonical order; a file that holds some is gone on with."""
    cached = Cached(file, TERNARY_2)
    every = list(range(TERNARY_2.size))
    missing, began, kept = cached.missing(every), time.monotonic(), time.monotonic()
    for start in range(0, len(missing), PART):
        cached(missing[start : start + PART])
        if time.monotonic() - kept > KEEP_EVERY_S:
            cached.keep()
            kept = time.monotonic()
            tell(f"costs: {len(cached):,} of {len(every):,}")
    if missing:
        cached.keep()
        tell(f"costs: {len(missing):,} computed in {time.monotonic() - began:.0f} s")
    return cached(every)
