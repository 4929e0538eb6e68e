"""
Named operations of one and of three ternary inputs.
"""

from typing import Final

from ternary_sdk._internal.logic import sources
from ternary_sdk._internal.logic.dictionary_ternary import clamp, wrap
from ternary_sdk._internal.logic.named_operation import NamedOperation, in_space
from ternary_sdk.space import Space

__all__ = ["ONE_INPUT", "THREE_INPUTS"]


def _above(value: bool) -> int:
    return 1 if value else -1


def _majority(*inputs: int) -> int:
    return next((value for value in inputs if inputs.count(value) > 1), 0)


def _select(a: int, b: int, c: int) -> int:
    return {-1: b, 0: b if b == c else 0, 1: c}[a]


ONE_INPUT: Final[tuple[NamedOperation, ...]] = in_space(
    Space(3, 1),
    ("ID", "a", lambda a: a, sources.COMMON, ("BUF", "IDENTITY")),
    ("STI", "-a", lambda a: -a, sources.MOUFTAH_JORDAN,
     ("NOT", "NEG", "INV", "KLEENE_NOT", "LUKASIEWICZ_NOT")),
    ("NTI", "+ if a = -, else -", lambda a: _above(a == -1), sources.MOUFTAH_JORDAN, ("IS_FALSE",)),
    ("PTI", "- if a = +, else +", lambda a: _above(a != 1), sources.MOUFTAH_JORDAN, ("NOT_TRUE",)),
    ("MTI", "+ if a = 0, else -", lambda a: _above(a == 0), sources.BOS, ("IS_UNKNOWN",)),
    ("NEC", "+ if a = +, else -", lambda a: _above(a == 1), sources.LUKASIEWICZ_MODAL,
     ("BUF", "BOX", "IS_TRUE")),
    ("POS", "- if a = -, else +", lambda a: _above(a != -1), sources.LUKASIEWICZ_MODAL,
     ("DIAMOND", "NOT_FALSE")),
    ("GODEL_NOT", "+ if a = -, else -", lambda a: _above(a == -1), sources.GODEL, ("HEYTING_NOT",)),
    ("BOCHVAR_ASSERT", "+ if a = +, else -", lambda a: _above(a == 1), sources.BOCHVAR, ()),
    ("INC", "a + 1 modulo 3", lambda a: wrap(a + 1), sources.POST, ("POST_NOT", "CYCLE")),
    ("DEC", "a - 1 modulo 3", lambda a: wrap(a - 1), sources.POST, ("CYCLE_BACK",)),
    ("ABS", "|a|", abs, sources.COMMON, ()),
    ("UP", "min(+, a + 1)", lambda a: clamp(a + 1), sources.COMMON, ()),
    ("DOWN", "max(-, a - 1)", lambda a: clamp(a - 1), sources.COMMON, ()),
)  # fmt: skip
"""The dictionary of (3, 1)."""

THREE_INPUTS: Final[tuple[NamedOperation, ...]] = in_space(
    Space(3, 3),
    ("MIN", "min(a, b, c)", min, sources.KLEENE, ("MIN3", "AND", "AND3")),
    ("MAX", "max(a, b, c)", max, sources.KLEENE, ("MAX3", "OR", "OR3")),
    ("NMIN", "-min(a, b, c)", lambda a, b, c: -min(a, b, c), sources.MOUFTAH_JORDAN, ("NAND", "NAND3")),
    ("NMAX", "-max(a, b, c)", lambda a, b, c: -max(a, b, c), sources.MOUFTAH_JORDAN, ("NOR", "NOR3")),
    ("SUM3", "a + b + c modulo 3", lambda a, b, c: wrap(a + b + c), sources.BOS, ("SUM", "GF3_ADD")),
    ("CAR3", "(a + b + c - SUM3(a, b, c)) / 3", lambda a, b, c: (a + b + c - wrap(a + b + c)) // 3,
     sources.BOS, ("CARRY", "CAR")),
    ("MUL3", "a · b · c", lambda a, b, c: a * b * c, sources.KNUTH, ("MUL", "GF3_MUL")),
    ("CONS3", "a if a = b = c, else 0", lambda a, b, c: a if a == b == c else 0, sources.BOS, ("CONS",)),
    ("ANY3", "sign(a + b + c)", lambda a, b, c: clamp(a + b + c), sources.BOS, ("ANY", "MAJORITY")),
    ("MAJ3", "the value of two or more inputs, else 0", _majority, sources.MUROGA, ("MAJ", "MAJORITY")),
    ("MED3", "the middle of a, b, c", lambda a, b, c: sorted((a, b, c))[1], sources.BIRKHOFF_KISS,
     ("MEDIAN", "MEDIAN3", "MAJORITY")),
    ("MUX", "b if a = -, c if a = +, else b if b = c, else 0", _select, sources.KLEENE, ("MUX2", "SELECT")),
)  # fmt: skip
"""The dictionary of (3, 3)."""
