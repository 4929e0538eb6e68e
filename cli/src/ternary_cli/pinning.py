"""
``ternary use``: pin a package, its license and its vendor, so that later commands need no options.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import (
    JsonOption,
    LicenseOption,
    MachineOption,
    StateOption,
    TrustOption,
    argument,
    option,
)

if TYPE_CHECKING:
    from ternary_cli.selection import Selection


Package = Annotated[Path | None, argument("FILE", "The .ternary package to pin; without it, show the pins.")]


def use(
    package: Package = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    evaluation: Annotated[bool, option("--evaluation", text="Forget the pins.")] = False,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pin package, license and vendor, or show what is pinned."""
    from ternary_cli import pins
    from ternary_cli.chosen import EVALUATION
    from ternary_cli.terminal import note, pairs, show, show_json

    if evaluation:
        pins.forget(state)
        note("pins forgotten; without options, commands work with the SDK's evaluation package")
        if as_json:
            show_json({"package": None})
        return
    if package or license or trust or machine_id:
        _pin(package, license, trust, machine_id, state)
    pinned = pins.load(state)
    if pinned is None:
        show_json({"package": None}) if as_json else show([EVALUATION])
        return
    facts = {
        name: value
        for name in ("package", "license", "trust", "root", "machine_id")
        if (value := getattr(pinned, name)) is not None
    }
    shown = {name: str(value) for name, value in facts.items()}
    show_json(shown) if as_json else show(pairs(shown))


def _pin(
    package: Path | None,
    license: Path | None,
    trust: Path | None,
    machine_id: str | None,
    state: Path | None,
) -> None:
    """Pin what is given, keeping earlier pins of what is not, if it all holds together now."""
    from ternary_cli import pins
    from ternary_cli.chosen import choose
    from ternary_cli.selection import selected
    from ternary_sdk.errors import InputError

    chosen = choose(package, license, trust, machine_id, state=state)
    if chosen.package is None or chosen.license is None or chosen.trust is None:
        raise InputError("pinning takes all three: ternary use FILE --license L --trust T")
    selection = selected(chosen, state)
    _check(selection)
    pins.save(
        pins.Pins(
            package=chosen.package.resolve(),
            license=chosen.license.resolve(),
            trust=chosen.trust.resolve(),
            root=selection.trust.root.kid,
            machine_id=chosen.machine_id,
        ),
        state,
    )


def _check(selection: "Selection") -> None:
    """Refuse what would be refused in use: a false package, or a license that allows nothing here and now."""
    from ternary_cli.standing import refusals
    from ternary_sdk._internal.licensing.permit import Permit

    with selection.open() as model:
        if model.license is None:
            return
        permit = Permit(
            model.license,
            model.package.identity,
            selection.trust,
            machine_id=selection.machine_id,
            state=selection.state,
        )
    found = list(refusals(permit, datetime.now(UTC)).values())
    if all(found):
        raise next(filter(None, found))
