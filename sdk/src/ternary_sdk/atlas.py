"""
A whole listed space as one picture with a cell for each operation; 81 × 243 for two-input ternary ones.

The first half of an operation's digits chooses the column, the other half the row: operation i of (3, 2) is
in row i // 243, column i mod 243. A cell's colour says whether the operation is reachable, how clearly a
latent decodes to it, and whether it was drawn. Of a package, that latent is the operation's witness; of a
run, the clearest one that is known. In both, an operation is reachable if a margin of at least 0.001 was
found where the vendor looked for one.
"""

from base64 import b64encode
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import png
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["DRAWN", "MISSING", "REACHED", "colours", "shape", "summary", "to_png", "to_svg"]

MISSING: Final = (208, 0, 111)
"""Colour of an operation that is not reachable."""
REACHED: Final = ((201, 219, 240), (16, 72, 140))
"""Colours of reachable operations, from the least margin to the greatest."""
DRAWN: Final = ((250, 219, 174), (196, 98, 0))
"""The same for those that were drawn."""

_MOST_SCALE: Final = 32
_LEFT, _TOP, _WIDTH, _MOST_HEIGHT = 34, 30, 972, 486

Margins = npt.NDArray[np.float32]


def shape(space: Space = TERNARY_2) -> tuple[int, int]:
    """Rows and columns of a space's picture.

    Raises:
        InputError: If the space is vast.
    """
    space.expect_listed()
    rows = space.radix ** (space.cells // 2)
    return rows, space.size // rows


def colours(
    margins: Margins, drawn: OperationSet | None = None, space: Space = TERNARY_2
) -> npt.NDArray[np.uint8]:
    """The picture's cells.

    Args:
        margins: With which a latent decodes to each operation, 0 where it is not reachable, shape (size,).
        drawn: The operations to show as drawn.
        space: What they are operations of.
    Returns:
        Shape (rows, columns, 3).
    Raises:
        InputError: If the shape is another, a margin is negative or not finite, the drawn operations are of
            another space, or the space is vast.
    """
    space.expect_listed()
    size = space.size
    if margins.shape != (size,) or not np.isfinite(margins).all() or margins.min() < 0:
        raise InputError(f"margins: expected {size} finite numbers from 0, found shape {margins.shape}")
    if drawn is not None and drawn.space != space:
        raise InputError(f"drawn: operations of the space {drawn.space}, expected {space}")
    cells = _shades(margins, REACHED)
    if drawn is not None:
        cells = np.where(drawn.mask[:, None], _shades(margins, DRAWN), cells)
    cells[margins == 0] = MISSING
    return cells.round().astype(np.uint8).reshape(*shape(space), 3)


def to_png(
    margins: Margins,
    drawn: OperationSet | None = None,
    *,
    scale: int | None = None,
    space: Space = TERNARY_2,
) -> bytes:
    """The bare cells as PNG, each ``scale`` pixels wide.

    By default that is as many as fit into 972 × 486 pixels, at least 1 and at most 32; for two-input ternary
    operations 4.

    Raises:
        InputError: As ``colours``, or if the scale is not 1 to 32.
    """
    if scale is None:
        scale = max(1, min(_MOST_SCALE, int(_cell(space))))
    if not 1 <= scale <= _MOST_SCALE:
        raise InputError(f"scale: {scale}, expected 1 to {_MOST_SCALE}")
    cells = colours(margins, drawn, space)
    return png.encode(cells.repeat(scale, axis=0).repeat(scale, axis=1))


def to_svg(
    margins: Margins, drawn: OperationSet | None = None, *, title: str, space: Space = TERNARY_2
) -> str:
    """The picture with title, axes and legend, one self-contained SVG for light and dark pages.

    Raises:
        InputError: As ``colours``.
    """
    picture = b64encode(to_png(margins, drawn, scale=1, space=space)).decode()
    rows, columns = shape(space)
    cell = _cell(space)
    width, below = round(cell * columns), _TOP + round(cell * rows)
    across = space.cells - space.cells // 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 4} {below + 66}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="15">'
        "<style>text{fill:#1a1a1a}@media(prefers-color-scheme:dark){text{fill:#e8e8e8}}</style>"
        f'<text x="{_LEFT}" y="18">{escape(title)}</text>'
        f'<image x="{_LEFT}" y="{_TOP}" width="{width}" height="{below - _TOP}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{picture}"/>'
        f'<text x="{_LEFT}" y="{below + 18}">{_cells(0, across, space)} →</text>'
        f'<text transform="translate({_LEFT - 10} {below}) rotate(-90)">'
        f"{_cells(across, space.cells, space)} →</text>"
        f"{_legend(margins, drawn, below)}</svg>"
    )


def summary(margins: Margins, drawn: OperationSet | None = None) -> str:
    """The picture in words."""
    reached = margins > 0
    least = f", least margin {margins[reached].min():.3f}" if reached.any() else ""
    counted = "" if drawn is None else f", {len(drawn):,} drawn"
    return f"{int(reached.sum()):,} of {len(margins):,} operations reachable{least}{counted}"


def _cell(space: Space) -> float:
    """The largest side of a cell with which the picture fits."""
    rows, columns = shape(space)
    return min(_WIDTH / columns, _MOST_HEIGHT / rows)


def _cells(first: int, end: int, space: Space) -> str:
    word = "trit" if space.radix == 3 else "cell"
    return f"{word} {first}" if end - first == 1 else f"{word}s {first} to {end - 1}"


def _shades(margins: Margins, ends: tuple[tuple[int, int, int], ...]) -> npt.NDArray[np.float64]:
    rank = np.clip(margins / max(float(margins.max()), 1e-9), 0, 1)[:, None].astype(np.float64)
    first, last = (np.array(end, dtype=np.float64) for end in ends)
    shades: npt.NDArray[np.float64] = first + (last - first) * rank
    return shades


def _legend(margins: Margins, drawn: OperationSet | None, below: int) -> str:
    most = float(margins.max())
    entries = [(REACHED, f"reachable: margin 0 to {most:.1f}")]
    entries += [(DRAWN, f"drawn so far: {len(drawn):,}")] if drawn is not None else []
    entries += [((MISSING, MISSING), f"not reachable: {int((margins == 0).sum()):,}")]
    parts, y = [], below + 36
    for number, ((first, last), words) in enumerate(entries):
        x = _LEFT + number * 320
        stops = f'<stop stop-color="rgb{first}"/><stop offset="1" stop-color="rgb{last}"/>'
        parts.append(
            f'<defs><linearGradient id="shade{number}">{stops}</linearGradient></defs>'
            f'<rect x="{x}" y="{y}" width="60" height="16" fill="url(#shade{number})"/>'
            f'<text x="{x + 68}" y="{y + 13}">{escape(words)}</text>'
        )
    return "".join(parts)
