"""
The legend of a space's picture: colour scales with their margins, and how many operations have each colour.
"""

from dataclasses import dataclass
from html import escape

import numpy as np

from ternary_sdk._internal.picture.frame import LEFT
from ternary_sdk._internal.picture.shades import (
    DRAWN,
    MISSING,
    OUTSIDE,
    REACHED,
    Margins,
    Mask,
    Scale,
    quartiles,
)

__all__ = ["Counts", "legend", "width"]

_SCALE_WIDTH, _LINE = 320, 24
_MOST = 60
"""Characters of a condition that are shown."""


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the legend counts."""

    margins: Margins
    drawn: Mask | None
    inside: Mask | None
    condition: str
    """The condition of ``inside``, as ``--where`` reads it."""

    def lines(self) -> list[tuple[Scale, str]]:
        """Each scale and its sentence."""
        reached = self.margins > 0
        if self.inside is None:
            drawn = self.drawn
            words = f"reachable: {reached.sum():,}"
        else:
            drawn = None if self.drawn is None else self.drawn & self.inside
            shown = self.condition if len(self.condition) <= _MOST else f"{self.condition[: _MOST - 1]}…"
            words = f"{shown}: {(reached & self.inside).sum():,} of {self.inside.sum():,} reachable"
        told = [(REACHED, words)]
        return told if drawn is None else [*told, (DRAWN, f"drawn so far: {drawn.sum():,}")]

    def patches(self) -> list[tuple[tuple[int, int, int], str]]:
        """Each single colour and its sentence."""
        reached = self.margins > 0
        told = [(MISSING, f"not reachable: {(~reached).sum():,}")]
        if self.inside is not None:
            told.append((OUTSIDE, f"other reachable operations: {(reached & ~self.inside).sum():,}"))
        return told


def width(counts: Counts) -> int:
    """Where the longest line ends, at 8 for a character."""
    return LEFT + _SCALE_WIDTH + 14 + 8 * max(len(words) for _, words in counts.lines())


def legend(counts: Counts, top: int) -> tuple[str, int]:
    """The legend as SVG elements below a height, and where it ends."""
    parts, y = [], top
    for number, (scale, words) in enumerate(counts.lines()):
        parts.append(_scale(number, scale, y) + _text(LEFT + _SCALE_WIDTH + 14, y + 13, words))
        y += _LINE
    parts.append(_ticks(counts.margins, y - 8))
    y += 36
    for colour, words in counts.patches():
        parts.append(
            f'<rect class="patch" x="{LEFT}" y="{y}" width="16" height="16" fill="rgb{colour}"/>'
            + _text(LEFT + 24, y + 13, words)
        )
        y += _LINE
    return "".join(parts), y


def _scale(number: int, scale: Scale, y: int) -> str:
    first, last = scale
    stops = f'<stop stop-color="rgb{first}"/><stop offset="1" stop-color="rgb{last}"/>'
    return (
        f'<defs><linearGradient id="shade{number}">{stops}</linearGradient></defs>'
        f'<rect x="{LEFT}" y="{y}" width="{_SCALE_WIDTH}" height="16" fill="url(#shade{number})"/>'
    )


def _ticks(margins: Margins, y: int) -> str:
    parts = []
    for place, margin in zip(np.linspace(0, _SCALE_WIDTH, 5), quartiles(margins), strict=False):
        x = LEFT + float(place)
        parts.append(f'<path class="line" d="M{x:g} {y}v5"/>')
        parts.append(f'<text class="tick" x="{x:g}" y="{y + 17}" text-anchor="middle">{margin:.3g}</text>')
    words = "margin by rank: least, quartiles, greatest" if parts else ""
    return "".join(parts) + f'<text class="axis" x="{LEFT}" y="{y + 33}">{words}</text>'


def _text(x: int, y: int, words: str) -> str:
    return f'<text x="{x}" y="{y}">{escape(words)}</text>'
