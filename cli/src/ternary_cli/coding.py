"""
``ternary encode`` and ``ternary decode``: operations to latents and back.

One frame for both. The package's signature says how wide rows are and what they hold. What can be refused
without a model at work, the format and the rows, is refused before the package is proved.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ternary_cli.formats import in_parts
from ternary_cli.options import (
    ORDER,
    FormatOption,
    JsonOption,
    LicenseOption,
    MachineOption,
    OutOption,
    PackageOption,
    PathOption,
    RowsArgument,
    StateOption,
    TrustOption,
)

if TYPE_CHECKING:
    from ternary_cli.rows import Rows
    from ternary_sdk.model import Model
    from ternary_sdk.signature import Signature

Conversion = Callable[["Model", str | None], "Rows"]
"""Rows that were read, waiting for a model and one of its paths."""


def _encoding(data: bytes, what: str, signature: "Signature") -> Conversion:
    from ternary_cli.row_reader import read_operations
    from ternary_cli.rows import Rows

    operations = read_operations(data, what, signature.space)
    return lambda model, path: Rows(latents=model.encode(operations, path=path))


def _decoding(data: bytes, what: str, signature: "Signature") -> Conversion:
    from ternary_cli.row_reader import read_latents
    from ternary_cli.rows import Rows

    latents, space = read_latents(data, what, signature.latent_size), signature.space

    def decoded(model: "Model", path: str | None) -> Rows:
        operations = model.decode(latents, path=path)
        return Rows(index=space.to_index(operations), operations=operations, space=space)

    return decoded


def _command(read_rows: Callable[[bytes, str, "Signature"], Conversion], text: str) -> Callable[..., None]:
    """A command that converts rows; ``text`` is its help."""

    def command(
        rows: RowsArgument = None,
        package: PackageOption = None,
        path: PathOption = None,
        form: FormatOption = None,
        out: OutOption = None,
        license: LicenseOption = None,
        trust: TrustOption = None,
        machine_id: MachineOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from ternary_cli.files import chosen_format, read, refuse_json_beside_rows, write_parts
        from ternary_cli.row_reader import MOST_BYTES
        from ternary_cli.selection import select
        from ternary_cli.terminal import show_json

        form = chosen_format(form, out)
        if as_json:
            refuse_json_beside_rows(out)
        data, name = read(rows, most=MOST_BYTES)
        selection = select(package, license, trust, machine_id, state=state)
        convert = read_rows(data, name, selection.package.signature)
        with selection.open() as model:
            converted = convert(model, path)
            letter = model.default_path if path is None else path
        write_parts(in_parts(converted.blocks(), form, count=converted.count), out)
        if as_json:
            show_json({"file": str(out), "rows": converted.count, "path": letter})

    command.__doc__ = text
    return command


encode = _command(_encoding, f"Turn operations (t0, t1, ...) into latents (z0, z1, ...).\n\n{ORDER}")
decode = _command(_decoding, f"Turn latents (z0, z1, ...) into operations (t0, t1, ...).\n\n{ORDER}")
