"""
Operations as one JSON array, an object for each: what it is, and what is known of it.
"""

import json

from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk._internal.logic.classes import representatives
from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk._internal.logic.names import names_of
from ternary_sdk._internal.logic.properties import held


def write(gates: Gates) -> str:
    """Write operations as an array, each on a line of its own.

    An object has ``index``, ``code``, ``names`` and ``properties``, which may be empty, ``class``: the least
    index of its NPN class, and ``operation``: its values, of which the last input varies fastest.
    """
    if not len(gates):
        return "[]\n"
    space, tables = gates.space, gates.tables
    having = held(tables, space)
    classes = representatives(gates.index, space).tolist()
    rows = [
        {
            "index": index,
            "code": to_code(index, space),
            "names": list(names_of(index, space)),
            "properties": [name for name, mask in having.items() if mask[place]],
            "class": classes[place],
            "operation": tables[place].tolist(),
        }
        for place, index in enumerate(gates.index.tolist())
    ]
    return "[" + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]\n"
