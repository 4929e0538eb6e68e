"""
``ternary encode`` and ``ternary decode``: operations to latents and back.

One frame for both. The package's signature says how wide rows are and what they hold. What can be refused
without a model at work, the format and the rows, is refused before the package is proved.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ternary_cli.formats import Format, in_parts
from ternary_cli.options import (
    ORDER,
    ForceOption,
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
    from ternary_cli.extra_columns import Column
    from ternary_cli.rows import Rows
    from ternary_sdk.model import Model
    from ternary_sdk.signature import Signature

    Extra = Mapping[str, Column]

Conversion = Callable[["Model", str | None], "Rows"]
"""Rows that were read, waiting for a model and one of its paths."""


def _encoding(data: bytes, what: str, signature: "Signature") -> "tuple[Conversion, Extra]":
    from ternary_cli.kinds import operations_of
    from ternary_cli.row_reader import read
    from ternary_cli.rows import Rows

    found = read(data, operations_of(signature.space), what)
    return lambda model, path: Rows(latents=model.encode(found.values, path=path)), found.extra


def _decoding(data: bytes, what: str, signature: "Signature") -> "tuple[Conversion, Extra]":
    from ternary_cli.kinds import latents_of
    from ternary_cli.row_reader import read
    from ternary_cli.rows import Rows

    found, space = read(data, latents_of(signature.latent_size), what), signature.space

    def decoded(model: "Model", path: str | None) -> Rows:
        operations = model.decode(found.values, path=path)
        return Rows(index=space.to_index(operations), operations=operations, space=space)

    return decoded, found.extra


def _ready(extra: "Extra", form: Format) -> "Extra":
    """Columns that pass through, as the format holds them; refused before a license counts anything."""
    from ternary_cli.arrow_writing import typed
    from ternary_cli.extra_columns import named
    from ternary_sdk.errors import InputError

    if extra and form.alone:
        raise InputError(
            f"{form}: no room for the columns {named(extra)} of the input; use csv, jsonl, parquet or "
            "arrow, or leave them out"
        )
    return typed(extra) if form.columnar else extra


def _command(
    read_rows: "Callable[[bytes, str, Signature], tuple[Conversion, Extra]]", text: str
) -> Callable[..., None]:
    """A command that converts rows; ``text`` is its help."""

    def command(
        rows: RowsArgument = None,
        package: PackageOption = None,
        path: PathOption = None,
        form: FormatOption = None,
        out: OutOption = None,
        force: ForceOption = False,
        license: LicenseOption = None,
        trust: TrustOption = None,
        machine_id: MachineOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from ternary_cli.files import chosen_format, expect_place, read, refuse_json_beside_rows, write_parts
        from ternary_cli.row_reader import MOST_BYTES
        from ternary_cli.selection import select
        from ternary_cli.terminal import show_json

        form = chosen_format(form, out)
        if as_json:
            refuse_json_beside_rows(out)
        expect_place(out, force=force)
        data, name = read(rows, most=MOST_BYTES)
        selection = select(package, license, trust, machine_id, state=state)
        signature = selection.package.signature
        convert, extra = read_rows(data, name, signature)
        extra = _ready(extra, form)
        with selection.open() as model:
            converted = replace(convert(model, path), extra=extra)
            letter = model.default_path if path is None else path
        facts = {"space": signature.space, "path": letter}
        write_parts(in_parts(converted.blocks(), form, count=converted.count, facts=facts), out)
        if as_json:
            show_json({"file": str(out), "rows": converted.count, "path": letter})

    command.__doc__ = text
    return command


encode = _command(_encoding, f"Turn operations (t0, t1, ...) into latents (z0, z1, ...).\n\n{ORDER}")
decode = _command(_decoding, f"Turn latents (z0, z1, ...) into operations (t0, t1, ...).\n\n{ORDER}")
