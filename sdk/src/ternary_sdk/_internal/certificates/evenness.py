"""
How even the draws of one path are: plain counts of them, and what these prove of a vast space.

Near ties are left out: which draws are clear does not depend on the others, so the clear ones are
independent draws from one distribution. docs/spaces.md proves what follows.
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.certificates import statistics
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError
from ternary_sdk.space import Space

MOST_DRAWS: Final = 1 << 34
"""The most draws that a certificate speaks of."""

_DIGITS: Final = re.compile(r"0|[1-9][0-9]{0,23}")  # 10^12 draws of one operation have 24 digits of pairs


@dataclass(frozen=True, kw_only=True)
class Evenness:
    """Counts of the first rows of the latent stream, and the bounds that follow from them."""

    space: Space
    """What the rows decode to."""

    draws: int
    """How many rows there are."""

    near_ties: int
    """How many of them have a margin below 0.001; they count for nothing else."""

    distinct: int
    """How many different operations the clear rows decode to."""

    once: int
    """How many of these operations occur exactly once."""

    twice: int
    """How many occur exactly twice."""

    pairs: int
    """How many pairs of clear rows decode to the same operation."""

    @property
    def clear(self) -> int:
        """How many rows are clear, that is, not near ties."""
        return self.draws - self.near_ties

    @property
    def near_tie_share_at_most(self) -> str:
        """Nine decimals: what share of all draws are near ties, at most."""
        return statistics.share_at_most(self.near_ties, self.draws)

    @property
    def repeats_at_most(self) -> str:
        """Six decimals: how many of as many clear draws are repeats, on average, at most."""
        return statistics.repeats_at_most(self.clear, self.distinct)

    @property
    def effective_number(self) -> int:
        """The clear draws are at least as varied as throws of a fair die with so many faces."""
        return statistics.effective_number(self.clear, self.distinct, self.space)

    @property
    def perfect_distinct(self) -> int:
        """How many different operations as many perfect draws give on average, rounded down."""
        return statistics.perfect_distinct(self.clear, self.space)

    @property
    def perfect_effective_number(self) -> int:
        """The effective number that ``perfect_distinct`` different operations would give."""
        return statistics.effective_number(self.clear, self.perfect_distinct, self.space)


def write(evenness: Evenness) -> Json:
    """The member ``evenness`` of a path."""
    return {
        "draws": evenness.draws,
        "near_ties": evenness.near_ties,
        "distinct": evenness.distinct,
        "once": evenness.once,
        "twice": evenness.twice,
        "pairs": str(evenness.pairs),
        **dict(_derived(evenness)),
        "perfect": dict(_perfect(evenness)),
    }


def read(fields: Fields, space: Space, *, most: int = MOST_DRAWS) -> Evenness:
    """Read what ``write`` wrote; what follows from the counts is computed and compared.

    Args:
        fields: The member.
        space: What the rows decode to.
        most: The most draws that it may speak of.
    Raises:
        FormatError: If it is not of this format or contradicts itself.
    """
    draws = fields.integer("draws", least=1, most=most)
    near_ties = fields.integer("near_ties", most=draws)
    different = min(draws - near_ties, space.size)
    evenness = Evenness(
        space=space,
        draws=draws,
        near_ties=near_ties,
        distinct=fields.integer("distinct", most=different),
        once=fields.integer("once", most=different),
        twice=fields.integer("twice", most=different),
        pairs=int(fields.text("pairs", pattern=_DIGITS)),
    )
    _check_counts(evenness, fields.path)  # before anything is computed from them
    for name, expected in _derived(evenness):
        fields.exactly(name, expected)
    perfect = fields.object("perfect")
    for name, expected in _perfect(evenness):
        perfect.exactly(name, expected)
    perfect.end()
    fields.end()
    return evenness


def _derived(evenness: Evenness) -> list[tuple[str, str | int]]:
    return [
        ("clear", evenness.clear),
        ("near_tie_share_at_most", evenness.near_tie_share_at_most),
        ("repeats_at_most", evenness.repeats_at_most),
        ("effective_number", str(evenness.effective_number)),
    ]


def _perfect(evenness: Evenness) -> list[tuple[str, str | int]]:
    return [
        ("distinct", evenness.perfect_distinct),
        ("effective_number", str(evenness.perfect_effective_number)),
    ]


def _check_counts(evenness: Evenness, what: str) -> None:
    """Refuse counts that no draws have."""
    once, twice = evenness.once, evenness.twice
    more, left = evenness.distinct - once - twice, evenness.clear - once - 2 * twice
    if more < 0 or left < 3 * more or (left > 0 and more == 0):
        raise FormatError(
            f"{what}: {evenness.clear} clear rows with {evenness.distinct} different operations, {once} once "
            f"and {twice} twice, which no draws have"
        )
    least, most = _possible_pairs(more, left)
    if not least <= evenness.pairs - twice <= most:
        raise FormatError(
            f"{what}.pairs: '{evenness.pairs}', expected {twice + least} to {twice + most} with these counts"
        )


def _possible_pairs(more: int, left: int) -> tuple[int, int]:
    """How many pairs ``left`` rows have among ``more`` operations that each occur three times or more often.

    They are fewest where the rows spread evenly, and most where all operations but one occur three times.
    """
    if more == 0:
        return 0, 0
    each, over = divmod(left, more)
    fewest = over * _pairs(each + 1) + (more - over) * _pairs(each)
    return fewest, 3 * (more - 1) + _pairs(left - 3 * (more - 1))


def _pairs(rows: int) -> int:
    return rows * (rows - 1) // 2
