"""
Operations side by side as one SVG: each as a square, under its name or code and a number.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ternary_cli.formats import Format
    from ternary_sdk.space import Indices, Space

MOST: Final = 1_000
"""The most squares of one picture."""


def is_picture(out: Path | None, form: "Format | None") -> bool:
    """Whether a file is to be a picture: its name ends in .svg, and no format of rows was asked for."""
    return out is not None and out.suffix == ".svg" and form is None


def strip(index: "Indices", numbers: "Iterable[str]", space: "Space", *, title: str) -> bytes:
    """The picture.

    Args:
        index: Canonical indices, shape (n,), n at least 1.
        numbers: What stands beside the name of each.
        space: What they are operations of.
        title: What it shows.
    Raises:
        InputError: If there are more than 1,000.
    """
    from ternary_sdk._internal.logic.codes import to_code
    from ternary_sdk._internal.logic.names import names_of
    from ternary_sdk._internal.logic.square_pictures import gallery
    from ternary_sdk.errors import InputError

    if len(index) > MOST:
        raise InputError(f"picture: {len(index):,} operations, expected at most {MOST:,}; write rows instead")
    captions = (
        f"{next(iter(names_of(one, space)), to_code(one, space))} {number}"
        for one, number in zip(index.tolist(), numbers, strict=True)
    )
    tables = zip(captions, space.from_index(index), strict=True)
    return gallery(tables, space, title=title).encode()
