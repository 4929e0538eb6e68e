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
from ternary_sdk._internal.logic.classes import Group, class_size, representatives
from ternary_sdk._internal.logic.codes import from_code, to_code
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.counted import Counted, counted
from ternary_sdk._internal.logic.named_operation import NamedOperation
from ternary_sdk._internal.logic.names import NAMES, named, names_of
from ternary_sdk._internal.logic.nearness import Neighbours, nearest
from ternary_sdk._internal.logic.parsing import Form, parse, parse_typed
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
from ternary_sdk._internal.logic.square_pictures import to_svg
from ternary_sdk._internal.logic.squares import to_text
from ternary_sdk._internal.logic.where import parse_condition

__all__ = [
    "NAMES",
    "PROPERTIES",
    "WITH_ARGUMENT",
    "Condition",
    "Counted",
    "Form",
    "Group",
    "NamedOperation",
    "Neighbours",
    "Partial",
    "Preserves",
    "Property",
    "Reversible",
    "associative",
    "balanced",
    "class_size",
    "column_reversible",
    "commutative",
    "complete",
    "constant",
    "counted",
    "depends_on_all",
    "essentially_unary",
    "from_code",
    "has_absorbing",
    "has_identity",
    "idempotent",
    "latin",
    "monotone",
    "named",
    "names_of",
    "nearest",
    "parse",
    "parse_condition",
    "parse_typed",
    "preserves",
    "representatives",
    "reversible",
    "row_reversible",
    "self_dual",
    "surjective",
    "to_code",
    "to_svg",
    "to_text",
]
"""What ``ternary_sdk.logic`` gives out: codes, names, properties, classes and counted sets of operations."""
