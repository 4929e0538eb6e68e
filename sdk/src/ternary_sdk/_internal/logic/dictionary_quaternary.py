"""
Named operations of one and of two quaternary inputs.

Three readings share the values 0 to 3. In an order they are four degrees of truth. Belnap's four values are
0 false, 1 neither, 2 both, 3 true: the high bit says "told true", the low bit "not told false". The field
GF(4) has 2 for a root of x² + x + 1 and 3 for that plus 1.
"""

from typing import Final

from ternary_sdk._internal.logic import sources
from ternary_sdk._internal.logic.named_operation import NamedOperation, in_space
from ternary_sdk.space import Space

__all__ = ["ONE_INPUT", "TWO_INPUTS"]

_NEITHER, _BOTH = 1, 2


def _field_product(a: int, b: int) -> int:
    """Polynomials over GF(2), their bits the coefficients, modulo x² + x + 1."""
    product = (a if b & 1 else 0) ^ (a << 1 if b & 2 else 0)
    return product ^ 0b111 if product & 4 else product


def _told(a: int) -> tuple[bool, bool]:
    """Whether Belnap's value says "told true" and "told false"."""
    return bool(a & 2), not a & 1


def _belnap(told_true: bool, told_false: bool) -> int:
    return 2 * told_true + (not told_false)


def _belnap_not(a: int) -> int:
    told_true, told_false = _told(a)
    return _belnap(told_false, told_true)


def _consensus(a: int, b: int) -> int:
    (first, second), (third, fourth) = _told(a), _told(b)
    return _belnap(first and third, second and fourth)


def _gullibility(a: int, b: int) -> int:
    (first, second), (third, fourth) = _told(a), _told(b)
    return _belnap(first or third, second or fourth)


ONE_INPUT: Final[tuple[NamedOperation, ...]] = in_space(
    Space(4, 1),
    ("ID", "a", lambda a: a, sources.COMMON, ("BUF", "IDENTITY")),
    ("INC", "a + 1 modulo 4", lambda a: (a + 1) % 4, sources.POST, ("POST_NOT", "CYCLE")),
    ("DEC", "a - 1 modulo 4", lambda a: (a - 1) % 4, sources.POST, ("CYCLE_BACK",)),
    ("LUKASIEWICZ_NOT", "3 - a", lambda a: 3 - a, sources.LUKASIEWICZ_TARSKI, ("NOT", "NEG", "INV")),
    ("GODEL_NOT", "3 if a = 0, else 0", lambda a: 0 if a else 3, sources.GODEL, ("HEYTING_NOT",)),
    ("BELNAP_NOT", "swap false and true", _belnap_not, sources.BELNAP, ("NOT",)),
    ("CONFLATION", "swap neither and both", lambda a: (0, _BOTH, _NEITHER, 3)[a],
     sources.FITTING, ()),
    ("GF4_SQUARE", "a · a in GF(4)", lambda a: _field_product(a, a), sources.LIDL,
     ("GF4_INVERSE", "FROBENIUS")),
)  # fmt: skip
"""The dictionary of (4, 1)."""

TWO_INPUTS: Final[tuple[NamedOperation, ...]] = in_space(
    Space(4, 2),
    ("MIN", "min(a, b)", min, sources.POST, ("AND",)),
    ("MAX", "max(a, b)", max, sources.POST, ("OR",)),
    ("SUM", "a + b modulo 4", lambda a, b: (a + b) % 4, sources.COMMON, ("MOD_SUM",)),
    ("SUB", "a - b modulo 4", lambda a, b: (a - b) % 4, sources.COMMON, ("MOD_SUB",)),
    ("MUL", "a · b modulo 4", lambda a, b: a * b % 4, sources.COMMON, ("MOD_MUL",)),
    ("CARRY", "1 if a + b > 3, else 0", lambda a, b: (a + b) // 4, sources.COMMON, ("CAR",)),
    ("GF4_ADD", "a + b in GF(4), exclusive or of the bits", lambda a, b: a ^ b, sources.LIDL, ()),
    ("GF4_MUL", "a · b in GF(4)", _field_product, sources.LIDL, ()),
    ("BELNAP_AND", "greatest lower bound in truth", lambda a, b: a & b, sources.BELNAP, ("AND",)),
    ("BELNAP_OR", "least upper bound in truth", lambda a, b: a | b, sources.BELNAP, ("OR",)),
    ("CONSENSUS", "what both are told", _consensus, sources.FITTING, ()),
    ("GULLIBILITY", "what either is told", _gullibility, sources.FITTING, ()),
    ("WEBB", "max(a, b) + 1 modulo 4", lambda a, b: (max(a, b) + 1) % 4, sources.WEBB, ()),
    ("LUKASIEWICZ_IMPLIES", "min(3, 3 - a + b)", lambda a, b: min(3, 3 - a + b), sources.LUKASIEWICZ_TARSKI,
     ("IMPLIES",)),
    ("LUKASIEWICZ_AND", "max(0, a + b - 3)", lambda a, b: max(0, a + b - 3), sources.LUKASIEWICZ_TARSKI, ()),
    ("LUKASIEWICZ_OR", "min(3, a + b)", lambda a, b: min(3, a + b), sources.LUKASIEWICZ_TARSKI, ()),
    ("GODEL_IMPLIES", "3 if a <= b, else b", lambda a, b: 3 if a <= b else b, sources.GODEL,
     ("IMPLIES", "HEYTING_IMPLIES")),
    ("FIRST", "a", lambda a, _: a, sources.COMMON, ("LEFT",)),
    ("SECOND", "b", lambda _, b: b, sources.COMMON, ("RIGHT",)),
)  # fmt: skip
"""The dictionary of (4, 2)."""
