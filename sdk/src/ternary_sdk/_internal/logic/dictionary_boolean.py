"""
Named Boolean operations, of one to five inputs.
"""

from typing import Final

from ternary_sdk._internal.logic import sources
from ternary_sdk._internal.logic.named_operation import Entry, NamedOperation, in_space
from ternary_sdk.space import Space

__all__ = ["boolean"]

_LETTERS: Final = "abcde"


def _of_any(inputs: int) -> tuple[Entry, ...]:
    """What every number of inputs from two on has."""
    listed, k = ", ".join(_LETTERS[:inputs]), inputs
    return (
        ("AND", f"min({listed})", lambda *x: min(x), sources.BOOLE, (f"AND{k}", "MIN")),
        ("OR", f"max({listed})", lambda *x: max(x), sources.JEVONS, (f"OR{k}", "MAX")),
        ("NAND", f"1 - min({listed})", lambda *x: 1 - min(x), sources.SHEFFER, (f"NAND{k}", "NMIN")),
        ("NOR", f"1 - max({listed})", lambda *x: 1 - max(x), sources.PEIRCE, (f"NOR{k}", "NMAX")),
        ("XOR", "sum of the inputs modulo 2", lambda *x: sum(x) % 2, sources.ZHEGALKIN,
         (f"XOR{k}", "PARITY")),
        ("XNOR", "1 - XOR", lambda *x: 1 - sum(x) % 2, sources.SHANNON, (f"XNOR{k}",)),
    )  # fmt: skip


_FEW: Final[dict[int, tuple[Entry, ...]]] = {
    1: (
        ("ID", "a", lambda a: a, sources.COMMON, ("BUF", "IDENTITY")),
        ("NOT", "1 - a", lambda a: 1 - a, sources.BOOLE, ("NEG", "INV")),
    ),
    2: (
        ("IMPLIES", "max(1 - a, b)", lambda a, b: max(1 - a, b), sources.FREGE, ()),
        ("IMPLIED", "max(a, 1 - b)", lambda a, b: max(a, 1 - b), sources.FREGE, ("CONVERSE",)),
        ("INHIBIT", "min(a, 1 - b)", lambda a, b: min(a, 1 - b), sources.SHANNON, ("NIMPLIES", "ANDN")),
        ("CARRY", "1 if a + b > 1, else 0", lambda a, b: (a + b) // 2, sources.SHANNON, ("CAR",)),
        ("FIRST", "a", lambda a, _: a, sources.COMMON, ("LEFT",)),
        ("SECOND", "b", lambda _, b: b, sources.COMMON, ("RIGHT",)),
    ),
    3: (
        ("SUM3", "a + b + c modulo 2", lambda *x: sum(x) % 2, sources.SHANNON, ("SUM",)),
        ("CAR3", "1 if a + b + c > 1, else 0", lambda *x: sum(x) // 2, sources.SHANNON, ("CAR", "CARRY")),
        ("MAJ3", "the value of two or more inputs", lambda *x: sum(x) // 2, sources.MUROGA,
         ("MAJ", "MAJORITY", "MEDIAN", "MED3")),
        ("MUX", "b if a = 0, else c", lambda a, b, c: c if a else b, sources.SHANNON,
         ("MUX2", "ITE", "SELECT")),
        ("AOI21", "1 - max(min(a, b), c)", lambda a, b, c: 1 - (a & b | c), sources.COMMON, ()),
        ("OAI21", "1 - min(max(a, b), c)", lambda a, b, c: 1 - ((a | b) & c), sources.COMMON, ()),
        ("ALL_EQUAL", "1 if a = b = c, else 0", lambda a, b, c: int(a == b == c), sources.COMMON, ()),
    ),
    4: (
        ("AOI22", "1 - max(min(a, b), min(c, d))", lambda a, b, c, d: 1 - (a & b | c & d),
         sources.COMMON, ()),
        ("OAI22", "1 - min(max(a, b), max(c, d))", lambda a, b, c, d: 1 - ((a | b) & (c | d)),
         sources.COMMON, ()),
    ),
    5: (
        ("MAJ5", "1 if three or more inputs are 1, else 0", lambda *x: int(sum(x) > 2), sources.MUROGA,
         ("MAJ", "MAJORITY", "MEDIAN")),
    ),
}  # fmt: skip


def boolean(inputs: int) -> tuple[NamedOperation, ...]:
    """The dictionary of (2, inputs)."""
    shared = _of_any(inputs) if inputs > 1 else ()
    return in_space(Space(2, inputs), *shared, *_FEW.get(inputs, ()))
