"""
What the colours of a space's picture mean.

Shades go by rank, not by margin, so that each shade is used equally often. The two scales are one hue each,
light to dark; readers with any kind of colour blindness tell both apart from each other and from ``MISSING``
(a test computes that).
"""

from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["DRAWN", "MISSING", "OUTSIDE", "REACHED", "Margins", "quartiles", "shades"]

MISSING: Final = (150, 0, 0)
"""Colour of an operation that is not reachable."""
REACHED: Final = ((190, 214, 240), (10, 52, 110))
"""Colours of reachable operations, from the least margin to the greatest."""
DRAWN: Final = ((250, 210, 140), (190, 110, 0))
"""The same for those that were drawn."""
OUTSIDE: Final = (246, 246, 246)
"""Colour of a reachable operation that does not meet the condition."""

Margins = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Scale = tuple[tuple[int, int, int], tuple[int, int, int]]


def shades(margins: Margins, drawn: Mask | None = None, inside: Mask | None = None) -> npt.NDArray[np.uint8]:
    """A colour for each operation.

    Args:
        margins: With which a latent decodes to each operation, 0 where it is not reachable, shape (n,).
        drawn: Which were drawn, shape (n,).
        inside: Which meet the condition, shape (n,).
    Returns:
        Shape (n, 3).
    """
    ranks = _ranks(margins)
    cells = _scaled(ranks, REACHED)
    if drawn is not None:
        cells = np.where(drawn[:, None], _scaled(ranks, DRAWN), cells)
    if inside is not None:
        cells[~inside] = OUTSIDE
    cells[margins == 0] = MISSING
    return cells.round().astype(np.uint8)


def quartiles(margins: Margins) -> tuple[float, ...]:
    """The least margin of the reachable operations, the three quartiles and the greatest; none if there are
    none.
    """
    reached = margins[margins > 0]
    return tuple(float(each) for each in np.quantile(reached, np.linspace(0, 1, 5))) if len(reached) else ()


def _ranks(margins: Margins) -> npt.NDArray[np.float64]:
    """The place of each among the reachable ones, 0 the least and 1 the greatest; equal margins share one."""
    ordered = np.sort(margins[margins > 0])
    before = np.searchsorted(ordered, margins, side="left")
    through = np.searchsorted(ordered, margins, side="right")
    ranks: npt.NDArray[np.float64] = (before + through - 1) / (2 * max(len(ordered) - 1, 1))
    return ranks.clip(0, 1)


def _scaled(ranks: npt.NDArray[np.float64], scale: Scale) -> npt.NDArray[np.float64]:
    first, last = (np.array(end, dtype=np.float64) for end in scale)
    scaled: npt.NDArray[np.float64] = first + (last - first) * ranks[:, None]
    return scaled
