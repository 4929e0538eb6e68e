"""
``ternary library``: a folder with a file for each operation, and an index of them.
"""

from pathlib import Path
from typing import Annotated

from ternary_cli.exchange_options import EncodingOption, FromOption, SpaceOption
from ternary_cli.options import JsonOption, argument, option
from ternary_sdk._internal.exchange.choices import LibraryFormat


def library(
    out: Annotated[Path, option("--out", "-o", metavar="DIR", text="A folder that does not exist yet.")],
    source: Annotated[Path | None, argument("ROWS", "Any file of operations; '-' is standard input.")] = None,
    form: Annotated[
        LibraryFormat, option("--format", text="What the files are; default: verilog, with testbenches.")
    ] = LibraryFormat.VERILOG,
    from_: FromOption = None,
    space: SpaceOption = None,
    encoding: EncodingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a gate library: one file per operation, each operation once, and index.json."""
    from ternary_cli.exchanged import operations_in
    from ternary_cli.refusals import check_name
    from ternary_cli.terminal import show, show_json
    from ternary_sdk._internal import folder
    from ternary_sdk.exchange import to_library
    from ternary_sdk.space import Space

    check_name(out)
    gates = operations_in(source, from_, None if space is None else Space.parse(space)).gates
    files = to_library(gates, form, encoding)
    folder.write(files, out)
    count = len(gates.different)
    if as_json:
        show_json(
            {
                "folder": str(out),
                "format": form,
                "space": str(gates.space),
                "operations": count,
                "files": len(files),
            }
        )
        return
    lines = [f"{out}: {count:,} operations of the space {gates.space}, {len(files):,} files"]
    if form is LibraryFormat.VERILOG:
        lines.append(f"simulate: iverilog -o bench {out}/*.v && vvp bench")
    show(lines)
