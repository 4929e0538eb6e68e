"""
``ternary show``: what one operation is. It needs no model, except for the latent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ternary_cli.options import (
    ForceOption,
    JsonOption,
    LicenseOption,
    MachineOption,
    PackageOption,
    PathOption,
    StateOption,
    TrustOption,
    argument,
    expect_no_option,
    option,
)

if TYPE_CHECKING:
    from ternary_sdk.model import Model

Operation = Annotated[
    str,
    argument("OPERATION", "An index, a code, a name, signs, digits, or values with commas, as 15633 or MIN."),
]
SpaceOption = Annotated[
    str | None, option("--space", metavar="R,K", text="What it is of; default: 3,2, or the package's.")
]
Latent = Annotated[bool, option("--latent", text="Open the package; add the latent and its margin.")]
Out = Annotated[
    Path | None,
    option("--out", "-o", metavar="F.svg", text="Draw the square here."),
]


def show(
    operation: Operation,
    space: SpaceOption = None,
    latent: Latent = False,
    package: PackageOption = None,
    path: PathOption = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    out: Out = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show an operation: its square, index, code, names, properties and classes."""
    from ternary_cli.files import write_unless_kept
    from ternary_cli.operation_facts import facts_of, lines_of
    from ternary_cli.terminal import show as show_lines
    from ternary_cli.terminal import show_json
    from ternary_sdk.errors import InputError
    from ternary_sdk.logic import parse_typed, to_svg
    from ternary_sdk.space import TERNARY_2, Space

    expect_no_option(operation)
    if out is not None and out.suffix != ".svg":
        raise InputError(f"{out}: suffix is '{out.suffix}', expected .svg")
    chosen = None if space is None else Space.parse(space)
    model_facts: dict[str, Any] = {}
    if latent:
        from ternary_cli.selection import select

        selection = select(package, license, trust, machine_id, state=state)
        of = selection.package.signature.space
        if chosen not in (None, of):
            raise InputError(f"--space: {chosen}, but {selection.package.manifest.label} is of {of}")
        index = parse_typed(operation.strip(), of)
        with selection.open() as model:
            model_facts = _encoded(model, index, path)
    else:
        options = {"package": package, "path": path, "license": license, "trust": trust}
        _expect_latent(options | {"machine-id": machine_id, "state": state})
        of = TERNARY_2 if chosen is None else chosen
        index = parse_typed(operation.strip(), of)
    facts = facts_of(index, of) | model_facts
    if out is not None:
        title = f"{' = '.join((*facts['names'], facts['code']))}, operation {index} of {of}"
        write_unless_kept(to_svg(of.from_index([index])[0], of, title=title).encode(), out, force=force)
        facts["file"] = str(out)
    show_json(facts) if as_json else show_lines(lines_of(facts, of))


def _expect_latent(options: Mapping[str, object]) -> None:
    from ternary_sdk.errors import InputError

    for name, value in options.items():
        if value is not None:
            raise InputError(f"--{name}: a package is opened only for --latent; add --latent")


def _encoded(model: "Model", index: int, path: str | None) -> dict[str, Any]:
    letter = model.default_path if path is None else path
    tables = model.space.from_index([index])
    latent = model.encode(tables, path=letter)[0]
    margin = model.encoded_margins(tables, path=letter)[0]
    numbers = [float(str(number)) for number in latent]  # the shortest that is the same float32
    return {"path": letter, "latent": numbers, "margin": float(str(margin))}
