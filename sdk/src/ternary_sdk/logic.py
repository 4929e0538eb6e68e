"""
The language of logic designers: codes, names and properties of operations. Nothing here needs a model.
"""

from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.parsing import NAMES, Form, parse, to_code

__all__ = ["NAMES", "Condition", "Form", "parse", "to_code"]
