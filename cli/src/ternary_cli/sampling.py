"""
``ternary sample``: draw operations.
"""

from collections.abc import Iterator
from typing import Annotated, TypedDict

from ternary_cli.options import (
    Format,
    FormatOption,
    LicenseOption,
    MachineOption,
    OutOption,
    PackageArgument,
    PathName,
    PathOption,
    TrustOption,
    option,
)

Count = Annotated[int, option("-n", metavar="N", text="How many rows; default: 10.")]
Unique = Annotated[bool, option("--unique", text="Pairwise different operations, guaranteed.")]
Seed = Annotated[int | None, option("--seed", metavar="S", text="Same seed, same rows; default: a new one.")]
Explore = Annotated[
    float, option("--explore", metavar="X", text="Share of rows drawn uniformly, 0 to 1; default: 0.")
]
Temperature = Annotated[
    float,
    option("--temperature", metavar="T", text="Factor on the prior's latents, 0.01 to 100; default: 1."),
]
Latents = Annotated[bool, option("--latents", text="Add the latent that decodes to each row.")]


class Dial(TypedDict):
    """What ``Model.sample`` and ``Model.sample_in_parts`` both take."""

    seed: int | None
    path: PathName | None
    explore: float
    temperature: float


def sample(
    package: PackageArgument = None,
    n: Count = 10,
    unique: Unique = False,
    seed: Seed = None,
    path: PathOption = None,
    explore: Explore = 0.0,
    temperature: Temperature = 1.0,
    latents: Latents = False,
    form: FormatOption = None,
    out: OutOption = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
) -> None:
    """Draw operations from a model."""
    from ternary_cli.files import chosen_format, write_parts
    from ternary_cli.rows import Rows, in_parts
    from ternary_cli.selection import select
    from ternary_cli.terminal import note
    from ternary_sdk.errors import InputError
    from ternary_sdk.operations import OperationSet

    form = chosen_format(form, out)
    if latents and form is Format.NPY:
        raise InputError("npy holds one array, but operations and latents were asked for; use csv or jsonl")
    dial: Dial = {"seed": seed, "path": path, "explore": explore, "temperature": temperature}
    drawn, said = OperationSet.of([]), ""
    with select(package, license, trust, machine_id).open() as model:
        draws = iter([model.sample(n, unique=True, **dial)]) if unique else model.sample_in_parts(n, **dial)

        def rows() -> Iterator[Rows]:
            nonlocal drawn, said
            for draw in draws:
                drawn, said = drawn | draw.set, f"path {draw.path}, seed {draw.seed}"
                kept = draw.latents if latents else None
                yield Rows(index=draw.index, operations=draw.operations, latents=kept)

        write_parts(in_parts(rows(), form, count=n), out)
    counted = "1 row" if n == 1 else f"{n:,} rows"
    note(f"{counted}, {said}, set {drawn.digest}")
