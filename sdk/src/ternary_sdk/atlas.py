"""
The whole operation space as one picture of 81 × 243 cells.

Operation i is in row i // 243, column i mod 243: the first five trits choose the column, the last four the
row. A cell's colour says whether the operation is reachable, how clearly a latent decodes to it, and whether
it was drawn. Of a package, that latent is the operation's witness; of a run, the clearest one that is known.
In both, an operation is reachable if a margin of at least 0.001 was found where the vendor looked for one.
"""

from base64 import b64encode
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import png
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OPERATIONS, OperationSet

ROWS: Final = 81
COLUMNS: Final = 243
MISSING: Final = (208, 0, 111)
"""Colour of an operation that is not reachable."""
REACHED: Final = ((201, 219, 240), (16, 72, 140))
"""Colours of reachable operations, from the least margin to the greatest."""
DRAWN: Final = ((250, 219, 174), (196, 98, 0))
"""The same for those that were drawn."""

_CELL: Final = 4
_LEFT, _TOP, _WIDTH, _HEIGHT = 34, 30, COLUMNS * _CELL, ROWS * _CELL

Margins = npt.NDArray[np.float32]


def colours(margins: Margins, drawn: OperationSet | None = None) -> npt.NDArray[np.uint8]:
    """The picture's cells.

    Args:
        margins: With which a latent decodes to each operation, 0 where it is not reachable, shape (19683,).
        drawn: The operations to show as drawn.
    Returns:
        Shape (81, 243, 3).
    Raises:
        InputError: If the shape is another or a margin is negative or not finite.
    """
    if margins.shape != (OPERATIONS,) or not np.isfinite(margins).all() or margins.min() < 0:
        raise InputError(f"margins: expected {OPERATIONS} finite numbers from 0, found shape {margins.shape}")
    cells = _shades(margins, REACHED)
    if drawn is not None:
        cells = np.where(drawn.mask[:, None], _shades(margins, DRAWN), cells)
    cells[margins == 0] = MISSING
    return cells.round().astype(np.uint8).reshape(ROWS, COLUMNS, 3)


def to_png(margins: Margins, drawn: OperationSet | None = None, *, scale: int = _CELL) -> bytes:
    """The bare cells as PNG, each ``scale`` pixels wide.

    Raises:
        InputError: As ``colours``, or if the scale is not 1 to 32.
    """
    if not 1 <= scale <= 32:
        raise InputError(f"scale: {scale}, expected 1 to 32")
    cells = colours(margins, drawn)
    return png.encode(cells.repeat(scale, axis=0).repeat(scale, axis=1))


def to_svg(margins: Margins, drawn: OperationSet | None = None, *, title: str) -> str:
    """The picture with title, axes and legend, one self-contained SVG for light and dark pages.

    Raises:
        InputError: As ``colours``.
    """
    picture = b64encode(to_png(margins, drawn, scale=1)).decode()
    height = _TOP + _HEIGHT + 66
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 4} {height}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="15">'
        "<style>text{fill:#1a1a1a}@media(prefers-color-scheme:dark){text{fill:#e8e8e8}}</style>"
        f'<text x="{_LEFT}" y="18">{escape(title)}</text>'
        f'<image x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{picture}"/>'
        f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + 18}">trits 0 to 4 →</text>'
        f'<text transform="translate({_LEFT - 10} {_TOP + _HEIGHT}) rotate(-90)">trits 5 to 8 →</text>'
        f"{_legend(margins, drawn)}</svg>"
    )


def summary(margins: Margins, drawn: OperationSet | None = None) -> str:
    """The picture in words."""
    reached = margins > 0
    least = f", least margin {margins[reached].min():.3f}" if reached.any() else ""
    counted = "" if drawn is None else f", {len(drawn):,} drawn"
    return f"{int(reached.sum()):,} of {OPERATIONS:,} operations reachable{least}{counted}"


def _shades(margins: Margins, ends: tuple[tuple[int, int, int], ...]) -> npt.NDArray[np.float64]:
    rank = np.clip(margins / max(float(margins.max()), 1e-9), 0, 1)[:, None].astype(np.float64)
    first, last = (np.array(end, dtype=np.float64) for end in ends)
    shades: npt.NDArray[np.float64] = first + (last - first) * rank
    return shades


def _legend(margins: Margins, drawn: OperationSet | None) -> str:
    most = float(margins.max())
    entries = [(REACHED, f"reachable: margin 0 to {most:.1f}")]
    entries += [(DRAWN, f"drawn so far: {len(drawn):,}")] if drawn is not None else []
    entries += [((MISSING, MISSING), f"not reachable: {int((margins == 0).sum()):,}")]
    parts, y = [], _TOP + _HEIGHT + 36
    for number, ((first, last), words) in enumerate(entries):
        x = _LEFT + number * 320
        stops = f'<stop stop-color="rgb{first}"/><stop offset="1" stop-color="rgb{last}"/>'
        parts.append(
            f'<defs><linearGradient id="shade{number}">{stops}</linearGradient></defs>'
            f'<rect x="{x}" y="{y}" width="60" height="16" fill="url(#shade{number})"/>'
            f'<text x="{x + 68}" y="{y + 13}">{escape(words)}</text>'
        )
    return "".join(parts)
