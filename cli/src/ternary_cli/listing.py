"""
``ternary list`` and ``ternary properties``: operations by what they are, without a model or a license.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from ternary_cli.formats import Format, in_parts
from ternary_cli.options import (
    ORDER,
    ForceOption,
    FormatOption,
    JsonOption,
    LikeOption,
    OutOption,
    WhereOption,
    option,
    whole,
)

if TYPE_CHECKING:
    from ternary_cli.rows import Rows
    from ternary_sdk.logic import Condition, Counted
    from ternary_sdk.space import Indices, Space

SpaceOf = Annotated[
    str | None, option("--space", metavar="R,K", text="K inputs over R values; default: 3,2.")
]
Number = Annotated[int | None, whole("-n", metavar="N", text="The first N; default: all.")]
Counting = Annotated[bool, option("--count", text="Print only how many there are.")]

_ALL: Final = 1 << 20
"""Rows that are written where no number is given: no listed space has more."""
_MOST: Final = 10_000_000
"""Rows that are written where a number is given, as ``ternary sample`` does."""
_BLOCK: Final = 1 << 16
"""Rows that are written at a time."""


def operations(
    space: SpaceOf = None,
    where: WhereOption = None,
    like: LikeOption = None,
    n: Number = None,
    count: Counting = False,
    form: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """List the operations that meet a condition. Needs no model and no license."""
    from ternary_cli.terminal import show, show_json
    from ternary_sdk.logic import counted
    from ternary_sdk.space import TERNARY_2, Space

    chosen = TERNARY_2 if space is None else Space.parse(space)
    if count:
        _refuse_rows(n, form, out)
    else:
        form = _checked_format(form, out, as_json=as_json, force=force)
    condition = _condition(where, like, chosen)
    found = counted(chosen, condition)
    about = {"space": str(chosen), "condition": None if condition is None else str(condition)}
    if form is not None:
        rows = _number_of_rows(n, found, condition)
        digest = _write(found, rows, form, out)
        _say(rows, digest, {**about, "file": str(out)} if as_json else None)
    elif as_json:
        show_json({**about, "operations": str(found.size)})
    else:
        show([str(found.size)])


operations.__doc__ = f"{operations.__doc__}\n\n{ORDER}"


def properties(as_json: JsonOption = False) -> None:
    """List the properties that 'ternary list --where' reads, with their meanings."""
    from ternary_cli.terminal import pairs, show, show_json
    from ternary_sdk.logic import PROPERTIES, WITH_ARGUMENT

    named = {name: (each.aliases, each.meaning) for name, each in PROPERTIES.items()}
    named |= {name: ((), meaning) for name, meaning in WITH_ARGUMENT.items()}
    if as_json:
        show_json(
            {name: {"aliases": list(names), "meaning": meaning} for name, (names, meaning) in named.items()}
        )
        return
    show(pairs({", ".join((name, *aliases)): meaning for name, (aliases, meaning) in named.items()}))


def _refuse_rows(n: int | None, form: Format | None, out: Path | None) -> None:
    from ternary_sdk.errors import InputError

    for name, given in (("-n", n), ("--format", form), ("--out", out)):
        if given is not None:
            raise InputError(f"--count prints one number and no rows; leave out {name}")


def _checked_format(form: Format | None, out: Path | None, *, as_json: bool, force: bool) -> Format:
    from ternary_cli.files import chosen_format, expect_place, refuse_json_beside_rows

    if as_json:
        refuse_json_beside_rows(out)
    chosen = chosen_format(form, out)
    expect_place(out, force=force)
    return chosen


def _condition(where: str | None, like: str | None, space: "Space") -> "Condition | None":
    from ternary_sdk.logic import Partial, parse_condition

    named = None if where is None else parse_condition(where, space)
    table = None if like is None else Partial.parse(like, space)
    if named is None or table is None:
        return table if named is None else named
    return named & table


def _number_of_rows(n: int | None, found: "Counted", condition: "Condition | None") -> int:
    """How many rows to write.

    Raises:
        InputError: If more are asked for than there are or than are written, or all of very many.
    """
    from ternary_sdk.errors import InputError

    there = f"the space {found.space} has {found.size:,} operations"
    if condition is not None:
        there = f"{found.size:,} operations of the space {found.space} meet '{condition}'"
    if n is None:
        if found.size > _ALL:
            raise InputError(f"{there}, too many to write all; add -n N for the first N, or --count")
        return found.size
    if not 0 <= n <= _MOST:
        raise InputError(f"-n: {n}, expected 0 to {_MOST:,}")
    if n > found.size:
        raise InputError(f"{n:,} operations were asked for, but {there}")
    return n


def _write(found: "Counted", count: int, form: Format, out: Path | None) -> str:
    """Write the first members; the digest of their set."""
    import numpy as np

    from ternary_cli.files import write_parts
    from ternary_sdk.operations import OperationSet

    parts = list["Indices"]()
    write_parts(in_parts(_rows(found, count, parts), form, count=count, facts={"space": found.space}), out)
    return OperationSet.of(np.concatenate(parts), found.space).digest


def _rows(found: "Counted", count: int, parts: "list[Indices]") -> Iterator["Rows"]:
    """The first members in parts, at least one; each part's indices are also put into ``parts``."""
    import numpy as np

    from ternary_cli.rows import Rows

    for start in range(0, max(1, count), _BLOCK):
        index = found.unrank(np.arange(start, min(start + _BLOCK, count)))
        parts.append(index)
        yield Rows(index=index, operations=found.space.from_index(index), space=found.space)


def _say(rows: int, digest: str, about: dict[str, str | None] | None) -> None:
    from ternary_cli.terminal import note, show_json

    if about is not None:
        show_json({**about, "rows": rows, "set": digest})
    else:
        note(f"{'1 row' if rows == 1 else f'{rows:,} rows'}, set {digest}")
