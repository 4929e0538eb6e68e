"""
Operations as a BLIF-MV model: the multi-valued format that VIS, MVSIS and Berkeley ABC read.

One model holds all operations as outputs of the same inputs, with a ``.table`` for each. A value is its
digit, 0 for the lowest. ABC compares the names of values by their beginning, so no other names are written.
"""

from typing import Final

from ternary_sdk._internal.exchange.gates import Gates, input_digits, input_names
from ternary_sdk.errors import InputError

MODEL: Final = "operations"
"""The name of a model that nothing else names."""
_MOST_VALUES: Final = 10
"""A value is one digit."""


def write(gates: Gates, model: str = MODEL) -> str:
    """Write operations as one model: a row for each cell of each table, none by default.

    Args:
        gates: The operations; their names are those of the outputs.
        model: The name of the model.
    Raises:
        InputError: If there are no operations, more than ten values, or a name that cannot be written.
    """
    space = gates.space
    if space.radix > _MOST_VALUES:
        raise InputError(
            f"BLIF-MV: {space.radix} values, expected at most {_MOST_VALUES}: a value is one digit"
        )
    if not len(gates):
        raise InputError("BLIF-MV: no operations, expected at least one")
    inputs = input_names(space)
    for name in (model, *gates.names):
        _check(name)
    taken = next((name for name in gates.names if name in inputs), None)
    if taken is not None:
        raise InputError(f"BLIF-MV: the output {taken} is the name of an input, expected another")
    lines = [
        f".model {model}",
        f".inputs {' '.join(inputs)}",
        f".outputs {' '.join(gates.names)}",
        f".mv {','.join(inputs)} {space.radix}",
        *(f".mv {name} {space.radix}" for name in gates.names),
    ]
    rows = [" ".join(map(str, digits)) for digits in input_digits(space)]
    for name, table in zip(gates.names, (gates.tables - space.lowest).tolist(), strict=True):
        lines.append(f".table {' '.join(inputs)} {name}")
        lines += [f"{row} {digit}" for row, digit in zip(rows, table, strict=True)]
    return "\n".join([*lines, ".end", ""])


def _check(name: str) -> None:
    if not name.isprintable() or not name or set(name) & set(' #\\,=(){}"') or name.startswith((".", "-")):
        raise InputError(
            f"BLIF-MV: {name[:60]!r} cannot be a name, expected no blanks and none of # \\ , = ( )"
        )
