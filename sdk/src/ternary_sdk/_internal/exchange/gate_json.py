"""
Operations as one JSON array, an object for each: what it is, and what is known of it.
"""

import json
from collections.abc import Iterator

from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk._internal.logic.classes import representatives
from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk._internal.logic.names import names_of
from ternary_sdk._internal.logic.properties import PROPERTIES
from ternary_sdk.errors import InputError


def write(gates: Gates) -> str:
    """Write operations as an array, each on a line of its own.

    An object has ``index``, ``code``, ``names`` and ``properties``, which may be empty, ``class``: the least
    index of its NPN class, and ``operation``: its values, of which the last input varies fastest.
    """
    if not len(gates):
        return "[]\n"
    space, tables = gates.space, gates.tables
    held = dict(_held(gates))
    classes = representatives(gates.index, space).tolist()
    rows = [
        {
            "index": index,
            "code": to_code(index, space),
            "names": list(names_of(index, space)),
            "properties": [name for name, holds in held.items() if holds[place]],
            "class": classes[place],
            "operation": tables[place].tolist(),
        }
        for place, index in enumerate(gates.index.tolist())
    ]
    return "[" + ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]\n"


def _held(gates: Gates) -> Iterator[tuple[str, list[bool]]]:
    """Which operations have each property, of those that mean something in the space."""
    for name, condition in PROPERTIES.items():
        try:
            condition.check(gates.space)
            yield name, condition.holds(gates.tables, gates.space).tolist()
        except InputError:
            continue
