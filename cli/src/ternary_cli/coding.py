"""
``ternary encode`` and ``ternary decode``: operations to latents and back.
"""

from ternary_cli.options import (
    FormatOption,
    LicenseOption,
    MachineOption,
    OutOption,
    PackageOption,
    PathOption,
    RowsArgument,
    TrustOption,
)


def encode(
    rows: RowsArgument = None,
    package: PackageOption = None,
    path: PathOption = None,
    form: FormatOption = None,
    out: OutOption = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
) -> None:
    """Turn operations (t0 to t8) into latents (z0 to z15)."""
    from ternary_cli.files import chosen_format, read, write
    from ternary_cli.row_reader import read_operations
    from ternary_cli.rows import Rows, to_bytes
    from ternary_cli.selection import select

    form = chosen_format(form, out)
    operations = read_operations(*read(rows))
    with select(package, license, trust, machine_id).open() as model:
        latents = model.encode(operations, path=path)
    write(to_bytes(Rows(latents=latents), form), out)


def decode(
    rows: RowsArgument = None,
    package: PackageOption = None,
    path: PathOption = None,
    form: FormatOption = None,
    out: OutOption = None,
    license: LicenseOption = None,
    trust: TrustOption = None,
    machine_id: MachineOption = None,
) -> None:
    """Turn latents (z0 to z15) into operations (t0 to t8)."""
    from ternary_cli.files import chosen_format, read, write
    from ternary_cli.row_reader import read_latents
    from ternary_cli.rows import Rows, to_bytes
    from ternary_cli.selection import select
    from ternary_sdk.operations import to_index

    form = chosen_format(form, out)
    latents = read_latents(*read(rows))
    with select(package, license, trust, machine_id).open() as model:
        operations = model.decode(latents, path=path)
    write(to_bytes(Rows(index=to_index(operations), operations=operations), form), out)
