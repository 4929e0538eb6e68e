"""
Named operations of two ternary inputs, and the two functions with which several are defined.

The values are -1, 0 and +1, written -, 0 and +: false, unknown and true in the logics of Kleene, Łukasiewicz,
Bochvar, Gödel and Sobociński.
"""

from typing import Final

from ternary_sdk._internal.logic import sources
from ternary_sdk._internal.logic.named_operation import NamedOperation, in_space
from ternary_sdk.space import TERNARY_2

__all__ = ["TWO_INPUTS", "clamp", "wrap"]


def clamp(value: int) -> int:
    """The nearest of -1, 0 and +1."""
    return max(-1, min(1, value))


def wrap(value: int) -> int:
    """The one of -1, 0 and +1 that is the same modulo 3."""
    return (value + 1) % 3 - 1


def _xor(a: int, b: int) -> int:
    return max(min(a, -b), min(-a, b))


def _weak(value: int, *inputs: int) -> int:
    """Bochvar's internal connectives: 0 is contagious."""
    return 0 if 0 in inputs else value


def _residual(a: int, b: int) -> int:
    return 1 if a <= b else b


def _fusion(a: int, b: int) -> int:
    return -1 if -1 in (a, b) else max(a, b)


def _sequential_and(a: int, b: int) -> int:
    return b if a == 1 else a


_KLEENE: Final = (
    ("MIN", "min(a, b)", min, sources.KLEENE, ("AND", "TAND", "KLEENE_AND")),
    ("MAX", "max(a, b)", max, sources.KLEENE, ("OR", "TOR", "KLEENE_OR")),
    ("NMIN", "-min(a, b)", lambda a, b: -min(a, b), sources.MOUFTAH_JORDAN, ("NAND", "TNAND")),
    ("NMAX", "-max(a, b)", lambda a, b: -max(a, b), sources.MOUFTAH_JORDAN, ("NOR", "TNOR")),
    ("XOR", "max(min(a, -b), min(-a, b))", _xor, sources.BOS, ("TXOR", "KLEENE_XOR")),
    ("XNOR", "-XOR(a, b)", lambda a, b: -_xor(a, b), sources.KLEENE, ("EQUIV", "KLEENE_EQUIV")),
    ("KLEENE_IMPLIES", "max(-a, b)", lambda a, b: max(-a, b), sources.KLEENE, ("IMPLIES",)),
)

_ARITHMETIC: Final = (
    ("SUM", "a + b modulo 3", lambda a, b: wrap(a + b), sources.KNUTH, ("MOD_SUM", "GF3_ADD")),
    ("SUB", "a - b modulo 3", lambda a, b: wrap(a - b), sources.KNUTH, ("MOD_SUB", "GF3_SUB")),
    ("MUL", "a · b", lambda a, b: a * b, sources.KNUTH, ("GF3_MUL", "PRODUCT")),
    ("CARRY", "a if a = b, else 0", lambda a, b: a if a == b else 0, sources.KNUTH, ("CAR",)),
    ("ANY", "sign(a + b)", lambda a, b: clamp(a + b), sources.JONES, ("TANY",)),
    ("NANY", "-sign(a + b)", lambda a, b: -clamp(a + b), sources.BOS, ()),
    ("MLE", "sign(a - b)", lambda a, b: clamp(a - b), sources.BOS, ("COMPARE",)),
    ("FLOOR_MEAN", "floor((a + b) / 2)", lambda a, b: (a + b) // 2, sources.COMMON, ("CONSENSUS",)),
)

_SWITCHING: Final = (
    ("CONS", "a if a = b, else 0", lambda a, b: a if a == b else 0, sources.JONES, ("CONSENSUS", "TCONS")),
    ("NCONS", "-a if a = b, else 0", lambda a, b: -a if a == b else 0, sources.BOS, ()),
    ("EN", "a if b = +, else 0", lambda a, b: a if b == 1 else 0, sources.BOS, ("ENABLE",)),
    ("DESEL", "- if a = - or b = -, else max(a, b)", _fusion, sources.BOS, ()),
    ("EQ", "+ if a = b, else -", lambda a, b: 1 if a == b else -1, sources.COMMON, ("EQUAL",)),
    ("FIRST", "a", lambda a, _: a, sources.COMMON, ("LEFT",)),
    ("SECOND", "b", lambda _, b: b, sources.COMMON, ("RIGHT",)),
    ("WEBB", "max(a, b) + 1 modulo 3", lambda a, b: wrap(max(a, b) + 1), sources.WEBB, ()),
    (
        "SHEFFER_TAND",
        "0 if a = b = -, - if a = b = +, else +",
        lambda a, b: {-2: 0, 2: -1}.get(a + b, 1),
        sources.MARTIN,
        ("TAND",),
    ),
)

_MANY_VALUED: Final = (
    (
        "LUKASIEWICZ_IMPLIES",
        "min(+, 1 - a + b)",
        lambda a, b: min(1, 1 - a + b),
        sources.LUKASIEWICZ,
        ("IMPLIES",),
    ),
    ("LUKASIEWICZ_AND", "max(-, a + b - 1)", lambda a, b: clamp(a + b - 1), sources.LUKASIEWICZ_TARSKI, ()),
    ("LUKASIEWICZ_OR", "min(+, a + b + 1)", lambda a, b: clamp(a + b + 1), sources.LUKASIEWICZ_TARSKI, ()),
    (
        "LUKASIEWICZ_EQUIV",
        "1 - |a - b|",
        lambda a, b: 1 - abs(a - b),
        sources.LUKASIEWICZ,
        ("EQUIV",),
    ),
    ("GODEL_IMPLIES", "+ if a <= b, else b", _residual, sources.GODEL, ("IMPLIES", "HEYTING_IMPLIES")),
    (
        "GODEL_EQUIV",
        "+ if a = b, else min(a, b)",
        lambda a, b: 1 if a == b else min(a, b),
        sources.GODEL,
        ("EQUIV", "HEYTING_EQUIV"),
    ),
    ("BOCHVAR_AND", "0 if 0 is an input, else min(a, b)", lambda a, b: _weak(min(a, b), a, b),
     sources.BOCHVAR, ("WEAK_KLEENE_AND",)),
    ("BOCHVAR_OR", "0 if 0 is an input, else max(a, b)", lambda a, b: _weak(max(a, b), a, b),
     sources.BOCHVAR, ("WEAK_KLEENE_OR",)),
    ("BOCHVAR_IMPLIES", "0 if 0 is an input, else max(-a, b)", lambda a, b: _weak(max(-a, b), a, b),
     sources.BOCHVAR, ("IMPLIES", "WEAK_KLEENE_IMPLIES")),
    ("RM3_FUSION", "- if a = - or b = -, else max(a, b)", _fusion,
     sources.ANDERSON_BELNAP, ()),
    ("RM3_FISSION", "+ if a = + or b = +, else min(a, b)", lambda a, b: -_fusion(-a, -b),
     sources.ANDERSON_BELNAP, ()),
    ("SOBOCINSKI_IMPLIES", "max(-a, b) if a <= b, else min(-a, b)",
     lambda a, b: max(-a, b) if a <= b else min(-a, b), sources.SOBOCINSKI, ("IMPLIES", "RM3_IMPLIES")),
    ("MCCARTHY_AND", "b if a = +, else a", _sequential_and, sources.MCCARTHY, ()),
    ("MCCARTHY_OR", "b if a = -, else a", lambda a, b: -_sequential_and(-a, -b), sources.MCCARTHY, ()),
)  # fmt: skip

TWO_INPUTS: Final[tuple[NamedOperation, ...]] = in_space(
    TERNARY_2, *_KLEENE, *_ARITHMETIC, *_SWITCHING, *_MANY_VALUED
)
"""The dictionary of (3, 2)."""
