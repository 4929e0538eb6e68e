"""
``ternary sample``: draw operations.
"""

from typing import Annotated

from ternary_cli.options import (
    Format,
    FormatOption,
    LicenseOption,
    MachineOption,
    OutOption,
    PackageArgument,
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
    float, option("--temperature", metavar="T", text="Factor on the prior's latents; default: 1.")
]
Latents = Annotated[bool, option("--latents", text="Add the latent that decodes to each row.")]


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
    from ternary_cli.files import chosen_format, write
    from ternary_cli.rows import Rows, to_bytes
    from ternary_cli.selection import select
    from ternary_cli.terminal import note
    from ternary_sdk.errors import InputError

    form = chosen_format(form, out)
    if latents and form is Format.NPY:
        raise InputError("npy holds one array, but operations and latents were asked for; use csv or jsonl")
    with select(package, license, trust, machine_id).open() as model:
        draw = model.sample(n, unique=unique, seed=seed, path=path, explore=explore, temperature=temperature)
    rows = Rows(index=draw.index, operations=draw.operations, latents=draw.latents if latents else None)
    write(to_bytes(rows, form), out)
    counted = "1 row" if n == 1 else f"{n:,} rows"
    note(f"{counted}, path {draw.path}, seed {draw.seed}, set {draw.digest}")
