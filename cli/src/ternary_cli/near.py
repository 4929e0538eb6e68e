"""
``ternary near``: the operations nearest to one, by its latent or by its truth table.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from ternary_cli.formats import Format, to_bytes
from ternary_cli.options import (
    ORDER,
    ForceOption,
    FormatOption,
    JsonOption,
    LicenseOption,
    MachineOption,
    PackageOption,
    PathOption,
    PictureOption,
    StateOption,
    TrustOption,
    argument,
    expect_no_option,
    option,
    whole,
)
from ternary_cli.strips import is_picture, strip

if TYPE_CHECKING:
    from ternary_cli.rows import Rows, Values
    from ternary_sdk._internal.logic.nearness import Neighbours


class By(StrEnum):
    """What a distance is of."""

    LATENT = "latent"
    HAMMING = "hamming"


Operation = Annotated[str, argument("OPERATION", "An index, a code, a truth table or a name.")]
Count = Annotated[int, whole("-k", metavar="K", text="How many operations; default: 10.")]
Measure = Annotated[
    By, option("--by", text="Distance of latents, or of truth tables without a model; default: latent.")
]
SpaceOption = Annotated[
    str | None, option("--space", metavar="R,K", text="With --by hamming: values, inputs; default: 3,2.")
]


def near(
    operation: Operation,
    k: Count = 10,
    by: Measure = By.LATENT,
    space: SpaceOption = None,
    package: PackageOption = None,
    path: PathOption = None,
    form: FormatOption = None,
    out: PictureOption = None,
    force: ForceOption = False,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the operations nearest to one, nearest first."""
    from ternary_cli.files import chosen_format, expect_place, refuse_json_beside_rows, write
    from ternary_cli.terminal import note, show_json
    from ternary_sdk.errors import InputError

    expect_no_option(operation)
    picture = is_picture(out, form)
    form = Format.TABLE if picture else chosen_format(form, out)
    if as_json:
        refuse_json_beside_rows(out)
    expect_place(out, force=force)
    if by is By.HAMMING:
        _refuse_a_model(
            package=package, path=path, license=license, trust=trust, machine_id=machine_id, state=state
        )
        found, where = _by_hamming(operation, k, space), {}
    elif space is not None:
        raise InputError(f"--space: {space} with --by latent, whose space is the package's; leave it out")
    else:
        from ternary_cli.selection import select

        with select(package, license, trust, machine_id, state=state).open() as model:
            letter = model.default_path if path is None else path
            found, where = model.near(operation, k, path=letter), {"path": letter}
    write(_strip(found) if picture else to_bytes(_rows(found), form), out)
    if as_json:
        show_json({"file": str(out), "operation": found.of, "rows": len(found), "by": by, **where})
        return
    note(_sentence(found, by))


near.__doc__ = f"{near.__doc__}\n\n{ORDER}"


def _refuse_a_model(**given: object) -> None:
    """Refuse options of a model where none is opened."""
    from ternary_sdk.errors import InputError

    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"--{name.replace('_', '-')} with --by hamming, which opens no model; leave it out"
            )


def _by_hamming(operation: str, k: int, space: str | None) -> "Neighbours":
    from ternary_sdk._internal.logic.nearness import nearest, operation_of
    from ternary_sdk.space import TERNARY_2, Space

    of = TERNARY_2 if space is None else Space.parse(space)
    return nearest(operation_of(operation, of), k, of)


def _rows(found: "Neighbours") -> "Rows":
    from ternary_cli.rows import Rows

    figures: dict[str, Values] = {} if found.latent is None else {"distance": found.latent}
    figures |= {"hamming": found.hamming}
    operations = found.space.from_index(found.index)
    return Rows(index=found.index, figures=figures, operations=operations, space=found.space)


def _strip(found: "Neighbours") -> bytes:
    numbers = found.hamming.tolist() if found.latent is None else [f"{far:.3f}" for far in found.latent]
    title = f"The operations nearest to operation {found.of} of {found.space}"
    return strip(found.index, map(str, numbers), found.space, title=title)


def _sentence(found: "Neighbours", by: By) -> str:
    """How many operations were compared, and by what."""
    if by is By.HAMMING:
        return f"operation {found.of}: {found.compared:,} others compared, by the cells that differ"
    if found.space.listed:
        return f"operation {found.of}: {found.compared:,} other reachable operations compared, by latent"
    return (
        f"operation {found.of}: compared by latent with the {found.compared:,} reachable operations that "
        "differ from it in at most 2 cells; the space is vast, and others may be nearer"
    )
