"""
Named operations that every radix has: those of Post's logics, and sums and differences modulo the radix.
"""

from ternary_sdk._internal.logic import sources
from ternary_sdk._internal.logic.named_operation import NamedOperation, in_space
from ternary_sdk.space import Space

__all__ = ["of_any_radix"]


def of_any_radix(space: Space) -> tuple[NamedOperation, ...]:
    """The dictionary of a space that has none of its own."""
    radix, lowest, highest = space.radix, space.lowest, space.values[-1]

    def wrap(value: int) -> int:
        return (value - lowest) % radix + lowest

    if space.inputs == 1:
        return in_space(
            space,
            ("ID", "a", lambda a: a, sources.COMMON, ("BUF", "IDENTITY")),
            ("INC", f"a + 1 modulo {radix}", lambda a: wrap(a + 1), sources.POST, ("POST_NOT", "CYCLE")),
            ("DEC", f"a - 1 modulo {radix}", lambda a: wrap(a - 1), sources.POST, ("CYCLE_BACK",)),
            ("NOT", f"{highest + lowest} - a", lambda a: highest + lowest - a, sources.LUKASIEWICZ_TARSKI,
             ("NEG", "INV", "LUKASIEWICZ_NOT")),
        )  # fmt: skip
    return in_space(
        space,
        ("MIN", "the least input", lambda *x: min(x), sources.POST, ("AND",)),
        ("MAX", "the greatest input", lambda *x: max(x), sources.POST, ("OR",)),
        ("SUM", f"sum of the inputs modulo {radix}", lambda *x: wrap(sum(x)), sources.COMMON, ("MOD_SUM",)),
        ("WEBB", f"MAX + 1 modulo {radix}", lambda *x: wrap(max(x) + 1), sources.WEBB, ()),
    )
