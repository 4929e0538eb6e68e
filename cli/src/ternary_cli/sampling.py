"""
``ternary sample``: draw operations.
"""

from collections.abc import Iterator
from enum import StrEnum
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from ternary_cli.formats import in_parts
from ternary_cli.options import (
    ORDER,
    ForceOption,
    FormatOption,
    JsonOption,
    LicenseOption,
    LikeOption,
    MachineOption,
    OutOption,
    PackageArgument,
    PathOption,
    StateOption,
    TrustOption,
    WhereOption,
    number,
    option,
    whole,
)

if TYPE_CHECKING:
    from ternary_sdk._internal.inference.conditional import Matching


class UpTo(StrEnum):
    """What two operations of one class may differ in."""

    INPUTS = "inputs"
    NPN = "npn"
    VALUES = "values"


Count = Annotated[int, whole("-n", metavar="N", text="How many rows; default: 10.")]
Unique = Annotated[bool, option("--unique", text="Pairwise different operations, guaranteed.")]
New = Annotated[
    bool, option("--new", text="As --unique, and different from all that the license returned here before.")
]
Seed = Annotated[int | None, whole("--seed", metavar="S", text="Same seed, same rows; default: a new one.")]
Explore = Annotated[
    float, number("--explore", metavar="X", text="Share of rows drawn uniformly, 0 to 1; default: 0.")
]
Temperature = Annotated[
    float,
    number("--temperature", metavar="T", text="Factor on the prior's latents, 0.01 to 100; default: 1."),
]
DistinctUpTo = Annotated[
    UpTo | None, option("--distinct-up-to", text="At most one operation of each class; implies --unique.")
]
Latents = Annotated[bool, option("--latents", text="Add the latent that decodes to each row.")]


class Wanted(TypedDict):
    """What rows are chosen by; all None where they are drawn from the prior."""

    where: str | None
    like: str | None
    distinct_up_to: str | None


class Dial(TypedDict):
    """What ``Model.sample`` and ``Model.sample_in_parts`` both take."""

    seed: int | None
    path: str | None
    explore: float
    temperature: float


def sample(
    package: PackageArgument = None,
    n: Count = 10,
    unique: Unique = False,
    new: New = False,
    seed: Seed = None,
    path: PathOption = None,
    explore: Explore = 0.0,
    temperature: Temperature = 1.0,
    where: WhereOption = None,
    like: LikeOption = None,
    distinct_up_to: DistinctUpTo = None,
    latents: Latents = False,
    form: FormatOption = None,
    out: OutOption = None,
    force: ForceOption = False,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> None:
    """Draw operations from a model."""
    from ternary_cli.files import chosen_format, expect_place, refuse_json_beside_rows, write_parts
    from ternary_cli.rows import Rows
    from ternary_cli.selection import select
    from ternary_cli.terminal import note, show_json
    from ternary_sdk.errors import InputError
    from ternary_sdk.operations import OperationSet

    form = chosen_format(form, out)
    if as_json:
        refuse_json_beside_rows(out)
    if latents and form.alone:
        raise InputError(f"{form}: no room for latents beside operations; use csv or jsonl")
    expect_place(out, force=force)
    dial: Dial = {"seed": seed, "path": path, "explore": explore, "temperature": temperature}
    wanted: Wanted = {"where": where, "like": like, "distinct_up_to": distinct_up_to}
    by_property = any(given is not None for given in wanted.values())
    how, facts = dict[str, Any](), dict[str, object]()
    with select(package, license, trust, machine_id, state=state).open() as model:
        space, sets = model.space, list[OperationSet]()
        facts["space"] = space
        if by_property:
            matching = model.matching(**wanted, path=path)
            note(str(matching))
            how["among"] = _among(matching)
        draws = (
            iter([model.sample(n, unique=unique, new=new, **dial, **wanted)])
            if unique or new or by_property
            else model.sample_in_parts(n, **dial)
        )

        def rows() -> Iterator[Rows]:
            for draw in draws:
                sets.append(draw.set)
                while len(sets) > 1 and len(sets[-2]) <= 2 * len(sets[-1]):  # so that each is merged seldom
                    sets[-2:] = [sets[-2] | sets[-1]]
                how.update(path=draw.path, seed=draw.seed)
                facts.update(path=draw.path, seed=draw.seed)
                if unique or new:  # the only part, so Arrow can say it at its beginning
                    facts["set"] = draw.set.digest
                kept = draw.latents if latents else None
                yield Rows(index=draw.index, operations=draw.operations, latents=kept, space=space)
            sets[:] = [reduce(or_, sets, OperationSet.of([], space))]
            facts["set"] = sets[0].digest

        write_parts(in_parts(rows(), form, count=n, facts=facts), out)
    (drawn,) = sets
    if as_json:
        show_json({"file": str(out), "rows": n, "operations": len(drawn), "set": drawn.digest, **how})
        return
    counted = "1 row" if n == 1 else f"{n:,} rows"
    note(f"{counted}, path {how['path']}, seed {how['seed']}, set {drawn.digest}")


def _among(matching: "Matching") -> dict[str, Any]:
    """What the rows were chosen among. The count may be 2^53 or more, so it is a string."""
    return {
        "condition": None if matching.condition is None else str(matching.condition),
        "operations": str(matching.operations),
        "reachable": matching.reachable,
        "up_to": matching.group,
        "classes": matching.classes,
    }


sample.__doc__ = f"{sample.__doc__}\n\n{ORDER}"
