"""
A whole listed space as one picture with a cell for each operation; 81 × 243 for two-input ternary ones.

The first half of an operation's digits chooses the column, the other half the row: operation i of (3, 2) is
in row i // 243, column i mod 243. A cell's colour says whether the operation is reachable, how clearly a
latent decodes to it, and whether it was drawn. Of a package, that latent is the operation's witness; of a
run, the clearest one that is known. In both, an operation is reachable if a margin of at least 0.001 was
found where the vendor looked for one. With a condition, such as *commutative*, only operations that meet it
keep their colours.
"""

from base64 import b64encode
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal import png
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.picture.axes import HEIGHT, axes
from ternary_sdk._internal.picture.frame import LEFT, TOP, Frame
from ternary_sdk._internal.picture.legend import Counts, legend
from ternary_sdk._internal.picture.legend import width as legend_width
from ternary_sdk._internal.picture.shades import DRAWN, MISSING, OUTSIDE, REACHED, Margins, Mask, shades
from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["DRAWN", "MISSING", "OUTSIDE", "REACHED", "colours", "shape", "summary", "to_png", "to_svg"]

_MOST_SCALE: Final = 32
_FEW: Final = 64
"""As many unreachable operations are ringed, so that none is overlooked."""
_SMALL: Final = 8
"""Cells with a smaller side are overlooked without a ring."""
_LEAST_WIDTH: Final = 760
_STYLE: Final = (
    "text{fill:#1a1a1a;font-size:14px}.tick,.axis{font-size:12px}.number{fill:#595959}"
    ".line{stroke:#8a8a8a;fill:none}.patch{stroke:#8a8a8a}.page{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e8e8e8}.number{fill:#a8a8a8}.page{fill:#0d1117}}"
)


def shape(space: Space = TERNARY_2) -> tuple[int, int]:
    """Rows and columns of a space's picture.

    Raises:
        InputError: If the space is vast.
    """
    frame = Frame(space)
    return frame.rows.count, frame.columns.count


def colours(
    margins: Margins,
    drawn: OperationSet | None = None,
    space: Space = TERNARY_2,
    *,
    where: Condition | None = None,
) -> npt.NDArray[np.uint8]:
    """The picture's cells.

    Args:
        margins: With which a latent decodes to each operation, 0 where it is not reachable, shape (size,).
            A cell's shade is the margin's rank among the reachable ones.
        drawn: The operations to show as drawn.
        space: What they are operations of.
        where: Reachable operations that do not meet it are ``OUTSIDE``.
    Returns:
        Shape (rows, columns, 3).
    Raises:
        InputError: If the shape is another, a margin is negative or not finite, the drawn operations are of
            another space, the condition means nothing there, or the space is vast.
    """
    counts = _counts(margins, drawn, space, where)
    return shades(margins, counts.drawn, counts.inside).reshape(*shape(space), 3)


def to_png(
    margins: Margins,
    drawn: OperationSet | None = None,
    *,
    scale: int | None = None,
    space: Space = TERNARY_2,
    where: Condition | None = None,
) -> bytes:
    """The bare cells as PNG, each ``scale`` pixels wide.

    By default that is as many as fit into 972 × 486 pixels, at least 1 and at most 32; for two-input ternary
    operations 4.

    Raises:
        InputError: As ``colours``, or if the scale is not 1 to 32.
    """
    if scale is None:
        scale = max(1, min(_MOST_SCALE, int(Frame(space).side)))
    if not 1 <= scale <= _MOST_SCALE:
        raise InputError(f"scale: {scale}, expected 1 to {_MOST_SCALE}")
    cells = colours(margins, drawn, space, where=where)
    return png.encode(cells.repeat(scale, axis=0).repeat(scale, axis=1))


def to_svg(
    margins: Margins,
    drawn: OperationSet | None = None,
    *,
    title: str,
    space: Space = TERNARY_2,
    where: Condition | None = None,
) -> str:
    """The picture with title, axes and legend, one self-contained SVG for light and dark pages.

    Each axis has ticks with row or column numbers, and the values of the leading cells in between. Where at
    most 64 operations are not reachable and cells are small, each of them is ringed.

    Raises:
        InputError: As ``colours``.
    """
    frame = Frame(space)
    counts = _counts(margins, drawn, space, where)
    key, end = legend(counts, frame.bottom + HEIGHT + 12)
    scale = 1 if frame.side <= 4 else None  # many a viewer blurs what it enlarges
    width = max(frame.right + 14, _LEAST_WIDTH, LEFT + 8 * len(title), legend_width(counts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {end + 6}" '
        f'role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif">'
        f'<style>{_STYLE}</style><rect class="page" width="{width}" height="{end + 6}"/>'
        f'<text x="{LEFT}" y="18">{escape(title)}</text>'
        f"{_image(frame, to_png(margins, drawn, scale=scale, space=space, where=where))}"
        f"{axes(frame)}{_rings(frame, margins)}{key}</svg>"
    )


def summary(margins: Margins, drawn: OperationSet | None = None) -> str:
    """The picture in words."""
    reached = margins > 0
    least = f", least margin {margins[reached].min():.3f}" if reached.any() else ""
    counted = "" if drawn is None else f", {len(drawn):,} drawn"
    return f"{int(reached.sum()):,} of {len(margins):,} operations reachable{least}{counted}"


def _counts(margins: Margins, drawn: OperationSet | None, space: Space, where: Condition | None) -> Counts:
    """What is drawn, once it is sound."""
    space.expect_listed()
    size = space.size
    if margins.shape != (size,) or not np.isfinite(margins).all() or margins.min() < 0:
        raise InputError(f"margins: expected {size} finite numbers from 0, found shape {margins.shape}")
    if drawn is not None and drawn.space != space:
        raise InputError(f"drawn: operations of the space {drawn.space}, expected {space}")
    return Counts(
        margins=margins,
        drawn=None if drawn is None else drawn.mask,
        inside=_inside(space, where),
        condition=str(where),
    )


def _inside(space: Space, where: Condition | None) -> Mask | None:
    if where is None:
        return None
    where.check(space)
    return where.holds(space.tables, space)


def _image(frame: Frame, picture: bytes) -> str:
    # Cells smaller than a pixel are averaged: of cells chosen one by one, most would not be seen at all.
    rendering = "pixelated" if frame.side >= 1 else "auto"
    return (
        f'<image x="{LEFT}" y="{TOP}" width="{frame.right - LEFT}" height="{frame.bottom - TOP}" '
        f'preserveAspectRatio="none" style="image-rendering:{rendering}" '
        f'href="data:image/png;base64,{b64encode(picture).decode()}"/>'
    )


def _rings(frame: Frame, margins: Margins) -> str:
    missing = np.flatnonzero(margins == 0)
    if len(missing) > _FEW or frame.side >= _SMALL:
        return ""
    return "".join(
        f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="none" stroke="{colour}" stroke-width="{stroke}"/>'
        for x, y in map(frame.centre, missing.tolist())
        for colour, stroke in (("#fff", 4), (f"rgb{MISSING}", 2))
    )
