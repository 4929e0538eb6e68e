"""
Operations as one JSON array, an object for each: index, code, names and truth table.
"""

import json

from ternary_sdk._internal.exchange.gates import Gates, code_of
from ternary_sdk._internal.logic.parsing import NAMES
from ternary_sdk.space import TERNARY_2


def write(gates: Gates) -> str:
    """Write operations as an array, each on a line of its own.

    An object has ``index``, ``code``, ``names``, which is empty for most, and ``operation``: the values of
    the truth table, of which the last input varies fastest.
    """
    rows = [
        {
            "index": index,
            "code": code_of(index, gates.space),
            "names": [name for name, named in NAMES.items() if named == index and gates.space == TERNARY_2],
            "operation": table,
        }
        for index, table in zip(gates.index.tolist(), gates.tables.tolist(), strict=True)
    ]
    return "[" + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]\n"
