"""
Properties of operations, by the names that ``--where`` reads.

Each is exact and decided for many tables at once, in every space in which it means something.
docs/properties.md says what each means and how many operations have it; a change here changes those counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ternary_sdk._internal.logic import algebra, completeness, lines
from ternary_sdk._internal.logic.conditions import Condition, Mask
from ternary_sdk._internal.logic.digits import Digits, digits_of
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space, Tables

__all__ = [
    "PROPERTIES",
    "Property",
    "associative",
    "balanced",
    "column_reversible",
    "commutative",
    "complete",
    "constant",
    "depends_on_all",
    "essentially_unary",
    "has_absorbing",
    "has_identity",
    "idempotent",
    "latin",
    "monotone",
    "row_reversible",
    "self_dual",
    "surjective",
]

_ANY: Final = (1, None)
_SEVERAL: Final = (2, None)
_TWO: Final = (2, 2)


@dataclass(frozen=True)
class Property(Condition):
    """A property that has a name, such as ``commutative``. Two are equal if their names are."""

    name: str
    """As ``--where`` writes it; ``self_dual`` is read as ``self-dual``."""

    meaning: str = field(compare=False)
    """What an operation that has it does, in one sentence."""

    test: Callable[[Digits, Space], Mask] = field(compare=False, repr=False)
    """From digits, values counted from 0 at the lowest, shape (n, cells), to a mask, shape (n,)."""

    inputs: tuple[int, int | None] = field(default=_ANY, compare=False)
    """The fewest and the most inputs with which it means something; None is any number."""

    aliases: tuple[str, ...] = field(default=(), compare=False)
    """Other names that are read."""

    source: str = field(default="", compare=False)
    """Who defines it so, where others define it otherwise or it is not well known."""

    def holds(self, tables: Tables, space: Space) -> Mask:
        """Which operations have it; shapes (n, cells) and (n,)."""
        self.check(space)
        return self.test(digits_of(tables, space), space)

    def check(self, space: Space) -> None:
        """Refuse a space with too few or too many inputs.

        Raises:
            InputError: If it has.
        """
        fewest, most = self.inputs
        if space.inputs < fewest or (most is not None and space.inputs > most):
            expected = f"{fewest}" if most is not None else f"at least {fewest}"
            many = "1 input" if space.inputs == 1 else f"{space.inputs} inputs"
            raise InputError(f"{self}: the space {space} has {many}, expected {expected}")

    def __str__(self) -> str:
        return self.name


commutative: Final = Property(
    "commutative",
    "Every order of the inputs gives the same result.",
    algebra.commutative,
    _SEVERAL,
    ("symmetric",),
    "For more than two inputs the literature says totally symmetric.",
)
associative: Final = Property(
    "associative", "f(f(a, b), c) = f(a, f(b, c)) for all a, b, c.", algebra.associative, _TWO
)
idempotent: Final = Property("idempotent", "f(x, …, x) = x for every value x.", algebra.idempotent)
balanced: Final = Property("balanced", "Every value is the result equally often.", lines.balanced)
surjective: Final = Property(
    "surjective", "Every value is the result at least once.", lines.surjective, aliases=("onto",)
)
constant: Final = Property("constant", "The result is always the same value.", lines.constant)
essentially_unary: Final = Property(
    "essentially-unary",
    "The result depends on exactly one input.",
    lines.essentially_unary,
    aliases=("unary",),
    source="Constants are left out; some authors count them in.",
)
depends_on_all: Final = Property(
    "depends-on-all",
    "The result depends on every input.",
    lines.depends_on_all,
    aliases=("nondegenerate",),
)
monotone: Final = Property(
    "monotone",
    "A larger input never gives a smaller result, in the natural order of the values.",
    lines.monotone,
    source="Other orders of the values give other clones; this is the order from the lowest value up.",
)
self_dual: Final = Property(
    "self-dual",
    "f(¬x, …) = ¬f(x, …), where ¬ mirrors the order of the values, as STI does.",
    algebra.self_dual,
    source="Jablonskij (1958) says it of what commutes with a cycle of all values; here ¬ is the mirror.",
)
row_reversible: Final = Property(
    "row-reversible",
    "Each row of the square, where a is fixed, has every value once.",
    lines.row_reversible,
    _TWO,
)
column_reversible: Final = Property(
    "column-reversible",
    "Each column of the square, where b is fixed, has every value once.",
    lines.column_reversible,
    _TWO,
)
latin: Final = Property(
    "latin",
    "Along every input, each line of the table has every value once.",
    lines.latin,
    aliases=("quasigroup",),
    source="Latin squares for two inputs, Latin cubes for three.",
)
has_identity: Final = Property(
    "has-identity", "Some value e has f(e, x) = x = f(x, e) for every x.", algebra.identity, _TWO
)
has_absorbing: Final = Property(
    "has-absorbing",
    "Some value z has f(z, x) = z = f(x, z) for every x.",
    algebra.absorbing,
    _TWO,
    ("has-zero",),
)
complete: Final = Property(
    "complete",
    "Every operation on the values, of any number of inputs, is a formula of this one alone.",
    completeness.complete,
    aliases=("sheffer",),
    source="Sheffer (1913) for two values, Martin (1954) for three; decided by Rousseau's theorem (1967).",
)

PROPERTIES: Final[Mapping[str, Property]] = MappingProxyType(
    {
        each.name: each
        for each in (
            commutative, associative, idempotent, balanced, surjective, constant, essentially_unary,
            depends_on_all, monotone, self_dual, row_reversible, column_reversible, latin, has_identity,
            has_absorbing, complete,
        )
    }
)  # fmt: skip
"""Every property that has a name, by that name."""


def held(tables: Tables, space: Space) -> dict[str, Mask]:
    """Which operations have each property that means something in their space, by its name.

    Args:
        tables: Truth tables, shape (n, cells).
        space: What they are operations of.
    Returns:
        For each property shape (n,).
    """
    found = dict[str, Mask]()
    for name, each in PROPERTIES.items():
        try:
            each.check(space)
        except InputError:
            continue
        found[name] = each.holds(tables, space)
    return found
