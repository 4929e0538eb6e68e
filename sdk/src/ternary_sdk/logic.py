"""
The language of logic designers: codes, names and properties of operations. Nothing here needs a model.
"""

from ternary_sdk._internal.logic.arguments import (
    WITH_ARGUMENT,
    Preserves,
    Reversible,
    preserves,
    reversible,
)
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.counted import Counted, counted
from ternary_sdk._internal.logic.parsing import NAMES, Form, parse, to_code
from ternary_sdk._internal.logic.partial import Partial
from ternary_sdk._internal.logic.properties import (
    PROPERTIES,
    Property,
    associative,
    balanced,
    column_reversible,
    commutative,
    complete,
    constant,
    depends_on_all,
    essentially_unary,
    has_absorbing,
    has_identity,
    idempotent,
    latin,
    monotone,
    row_reversible,
    self_dual,
    surjective,
)
from ternary_sdk._internal.logic.where import parse_condition

__all__ = [
    "NAMES",
    "PROPERTIES",
    "WITH_ARGUMENT",
    "Condition",
    "Counted",
    "Form",
    "Partial",
    "Preserves",
    "Property",
    "Reversible",
    "associative",
    "balanced",
    "column_reversible",
    "commutative",
    "complete",
    "constant",
    "counted",
    "depends_on_all",
    "essentially_unary",
    "has_absorbing",
    "has_identity",
    "idempotent",
    "latin",
    "monotone",
    "parse",
    "parse_condition",
    "preserves",
    "reversible",
    "row_reversible",
    "self_dual",
    "surjective",
    "to_code",
]
"""What ``ternary_sdk.logic`` gives out: codes, names, properties, classes and counted sets of operations."""
