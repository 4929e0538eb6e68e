"""
``ternary atlas``: the whole operation space as one picture.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.options import (
    ForceOption,
    JsonOption,
    LicenseOption,
    PathOption,
    StateOption,
    TrustOption,
    argument,
    option,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ternary_sdk.logic import Condition
    from ternary_sdk.model import Model
    from ternary_sdk.operations import OperationSet
    from ternary_sdk.space import Space

Source = Annotated[
    Path | None, argument("FILE|RUN", "A .ternary package, else the pinned or evaluation one; or a run.")
]
Where = Annotated[
    str | None,
    option("--where", metavar="EXPR", text="Colour only what meets it, as 'commutative & balanced'."),
]
Out = Annotated[
    Path,
    option("--out", "-o", metavar="F", text="A .svg with its legend, or a bare .png; default: atlas.svg."),
]


def atlas(
    source: Source = None,
    where: Where = None,
    out: Out = Path("atlas.svg"),
    force: ForceOption = False,
    path: PathOption = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw every operation: reachable or not, how clearly, and drawn so far."""
    from ternary_cli.files import write_unless_kept
    from ternary_cli.selection import select
    from ternary_cli.terminal import show, show_json
    from ternary_sdk import atlas as atlases
    from ternary_sdk.errors import InputError

    if out.suffix not in (".svg", ".png"):
        raise InputError(f"{out}: suffix is '{out.suffix}', expected .svg or .png")
    if source is not None and source.is_dir():
        _expect_listed(source.name, _space_of_run(source), run=True)
        letter, margins, space = _of_run(source, path)
        name, drawn = source.name, None
    else:
        selection = select(source, license, trust, state=state)
        _expect_listed(selection.package.manifest.label, selection.package.signature.space, run=False)
        with selection.open() as model:
            letter, name = model.default_path if path is None else path, model.package.manifest.label
            margins, space, drawn = model.margins(path=letter), model.space, _drawn(model)
    condition = _condition(where, space)
    words = f"{name}, path {letter}: {atlases.summary(margins, drawn)}"
    if out.suffix == ".svg":
        picture = atlases.to_svg(margins, drawn, title=words, space=space, where=condition).encode()
    else:
        picture = atlases.to_png(margins, drawn, space=space, where=condition)
    write_unless_kept(picture, out, force=force)
    family = {} if condition is None else _family(condition, margins, space)
    if as_json:
        show_json({"file": str(out), "path": letter, "summary": words, **family})
    else:
        show([words, *_told(family), str(out)])


def _condition(where: str | None, space: "Space") -> "Condition | None":
    if where is None:
        return None
    from ternary_sdk.logic import parse_condition

    return parse_condition(where, space)


def _family(
    condition: "Condition", margins: "npt.NDArray[np.float32]", space: "Space"
) -> dict[str, str | int]:
    """The condition, how many operations meet it, and how many of these are reachable."""
    inside = condition.holds(space.tables, space)
    reachable = int((inside & (margins > 0)).sum())
    return {"condition": str(condition), "operations": int(inside.sum()), "reachable": reachable}


def _told(family: dict[str, str | int]) -> list[str]:
    if not family:
        return []
    return ["{condition}: {reachable:,} of {operations:,} operations reachable".format_map(family)]


def _drawn(model: "Model") -> "OperationSet | None":
    """What was drawn so far, where the license counts it."""
    return model.drawn() if model.license is not None and model.license.unique_operations else None


def _expect_listed(name: str, space: "Space", *, run: bool) -> None:
    """Refuse a space that no picture holds, and say what shows it instead."""
    from ternary_sdk.errors import InputError

    if not space.listed:
        shown = "" if run else ", and 'ternary info' states its bounds"
        raise InputError(
            f"{name}: is of the vast space {space}, whose {space.size:,} operations fit no picture; 'ternary "
            f"report' draws its cells and pairs of cells instead{shown}"
        )


def _space_of_run(folder: Path) -> "Space":
    from ternary_cli.vendor_extra import vendor_extra

    with vendor_extra("ternary atlas RUN"):
        from ternary_trainer import run
    return run.open(folder).recipe.space


def _of_run(folder: Path, path: str | None) -> "tuple[str, npt.NDArray[np.float32], Space]":
    """A path's letter, margins and space; unless it is named, the one that would be its package's default."""
    from ternary_cli.vendor_extra import vendor_extra
    from ternary_sdk.errors import InputError

    with vendor_extra("ternary atlas RUN"):
        from ternary_export.reach import reach
        from ternary_sdk._internal.certificates.path_coverage import best
        from ternary_trainer import run
    found = reach(run.open(folder).best().state)
    letter = best(each.claim for each in found.values()).path if path is None else path
    if letter not in found:
        raise InputError(f"path: {letter!r}, expected {' or '.join(found)}")
    return letter, found[letter].margins, found[letter].claim.space
