"""
``ternary path``: the operations on the straight line between the latents of two.
"""

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
from ternary_cli.strips import MOST, is_picture, strip

if TYPE_CHECKING:
    from ternary_cli.rows import Rows
    from ternary_sdk._internal.inference.nearness import Walk

Start = Annotated[str, argument("FROM", "An operation: an index, a code, a truth table or a name.")]
End = Annotated[str, argument("TO", "Another.")]
Steps = Annotated[
    int, whole("--steps", metavar="N", text="Equal parts of the line; each point is decoded; default: 100.")
]
Latents = Annotated[bool, option("--latents", text="Add the latent that decodes to each row.")]


def walk(
    start: Start,
    end: End,
    steps: Steps = 100,
    latents: Latents = False,
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
    """Walk straight from the latent of one operation to that of another, and decode on the way."""
    from ternary_cli.files import chosen_format, expect_place, refuse_json_beside_rows, write
    from ternary_cli.selection import select
    from ternary_cli.terminal import note, show_json
    from ternary_sdk.errors import InputError

    for operation in (start, end):
        expect_no_option(operation)
    picture = is_picture(out, form)
    form = Format.TABLE if picture else chosen_format(form, out)
    if as_json:
        refuse_json_beside_rows(out)
    if latents and form.alone:
        raise InputError(f"{form}: no room for latents beside operations; use csv or jsonl")
    if latents and picture:
        raise InputError(f"{out}: a picture has no room for --latents; write rows instead")
    expect_place(out, force=force)
    if picture and steps >= MOST:
        raise InputError(f"--steps: {steps:,} with a picture, expected fewer than {MOST:,}; write rows")
    with select(package, license, trust, machine_id, state=state).open() as model:
        found = model.walk(start, end, steps=steps, path=path)
    write(_strip(found) if picture else to_bytes(_rows(found, latents=latents), form), out)
    if as_json:
        facts = {"file": str(out), "from": found.start, "to": found.end, "steps": steps}
        show_json({**facts, "rows": len(found), "path": found.path})
        return
    entered = "1 operation" if len(found) == 1 else f"{len(found):,} operations"
    note(f"{entered} from {found.start} to {found.end} in {steps:,} steps, path {found.path}")


walk.__doc__ = f"{walk.__doc__}\n\n{ORDER}"


def _strip(found: "Walk") -> bytes:
    title = f"From operation {found.start} of {found.space} to operation {found.end}"
    return strip(found.index, (f"{t:.2f}" for t in found.t), found.space, title=title)


def _rows(found: "Walk", *, latents: bool) -> "Rows":
    from ternary_cli.rows import Rows

    return Rows(
        index=found.index,
        figures={
            "t": found.t,
            "margin": found.margin,
            "from_start": found.from_start,
            "to_end": found.to_end,
        },
        operations=found.operations,
        latents=found.latents if latents else None,
        space=found.space,
    )
