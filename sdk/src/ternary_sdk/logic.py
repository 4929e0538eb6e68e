"""
The language of logic designers: codes, names and properties of operations. Nothing here needs a model.
"""

from ternary_sdk._internal.logic.codes import from_code, to_code
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.named_operation import NamedOperation
from ternary_sdk._internal.logic.names import NAMES, named, names_of
from ternary_sdk._internal.logic.parsing import Form, parse

__all__ = [
    "NAMES",
    "Condition",
    "Form",
    "NamedOperation",
    "from_code",
    "named",
    "names_of",
    "parse",
    "to_code",
]
