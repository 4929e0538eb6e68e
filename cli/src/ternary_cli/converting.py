"""
``ternary convert``: operations from one file format to another, without a model.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ternary_cli.exchange_options import TARGETS, EncodingOption, FromOption, SpaceOption, Target
from ternary_cli.formats import Format
from ternary_cli.options import ForceOption, JsonOption, argument, option

if TYPE_CHECKING:
    from ternary_cli.exchanged import Exchanged
    from ternary_sdk._internal.exchange.choices import Encoding
    from ternary_sdk.exchange import Gates


def convert(
    source: Annotated[Path | None, argument("IN", "Any file of operations; '-' is standard input.")] = None,
    out: Annotated[Path | None, argument("OUT", "Standard output if left out or '-'.")] = None,
    from_: FromOption = None,
    to: Annotated[Target | None, option("--to", text="What to write; default: by the name of OUT.")] = None,
    space: SpaceOption = None,
    encoding: EncodingOption = None,
    name: Annotated[
        str | None, option("--name", metavar="N", text="Of the BLIF-MV model, or of a single Verilog module.")
    ] = None,
    testbench: Annotated[
        Path | None, option("--testbench", metavar="F", text="Also write a testbench of the Verilog here.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn operations from one format into another: rows, codes, BLIF-MV, MRCS truth tables, Verilog."""
    from ternary_cli.exchanged import operations_in
    from ternary_cli.files import expect_place, is_standard, write_parts
    from ternary_cli.terminal import show, show_json
    from ternary_sdk._internal import whole_file
    from ternary_sdk.errors import InputError
    from ternary_sdk.space import Space

    target = _target(to, out)
    _check_options(target, encoding, name, testbench)
    if is_standard(out) and (as_json or testbench is not None):
        raise InputError("--json and --testbench need OUT: standard output has the operations themselves")
    if testbench is not None and testbench == out:
        raise InputError(f"--testbench: {testbench} is OUT, expected another file")
    for place in (out, testbench):
        expect_place(place, force=force)
    found = operations_in(source, from_, None if space is None else Space.parse(space))
    if testbench is not None and out is not None:
        whole_file.write_all(
            {out: b"".join(_written(found, target, encoding, name)), testbench: _bench(found, encoding, name)}
        )
    else:
        write_parts(_written(found, target, encoding, name), out)
    facts = {
        "file": str(out),
        "format": target,
        "space": str(found.gates.space),
        "operations": len(found.gates),
    }
    if as_json:
        show_json(facts | ({} if testbench is None else {"testbench": str(testbench)}))
    elif not is_standard(out):
        counted = "1 operation" if len(found.gates) == 1 else f"{len(found.gates):,} operations"
        show([f"{out}: {counted} of the space {found.gates.space}, {target}"])


def _target(to: Target | None, out: Path | None) -> Target:
    from ternary_cli.files import is_standard
    from ternary_sdk.errors import InputError

    if to is not None:
        return to
    if out is not None and not is_standard(out) and out.suffix.lower() in TARGETS:
        return TARGETS[out.suffix.lower()]
    where = "standard output" if out is None or is_standard(out) else f"{out}: the name"
    raise InputError(f"{where} says no format; add --to {', '.join(list(Target)[:-1])} or {list(Target)[-1]}")


def _check_options(
    target: Target, encoding: "Encoding | None", name: str | None, testbench: Path | None
) -> None:
    from ternary_sdk.errors import InputError

    for option_name, given in (("--encoding", encoding), ("--testbench", testbench)):
        if given is not None and target is not Target.VERILOG:
            raise InputError(f"{option_name} is of Verilog, but the format is {target}")
    if name is not None and target not in (Target.VERILOG, Target.BLIF_MV):
        raise InputError(f"--name names a BLIF-MV model or a Verilog module, but the format is {target}")


def _written(
    found: "Exchanged", target: Target, encoding: "Encoding | None", name: str | None
) -> Iterable[bytes]:
    from ternary_cli.formats import in_parts
    from ternary_cli.rows import Rows

    form = next((form for form in Format if form.value == target.value), None)
    if form is not None:
        gates = found.gates
        rows = Rows(index=gates.index, operations=gates.tables, space=gates.space, extra=found.extra)
        return in_parts(rows.blocks(), form, count=rows.count, facts={"space": gates.space})
    return [_design(found, target, encoding, name).encode()]


def _design(found: "Exchanged", target: Target, encoding: "Encoding | None", name: str | None) -> str:
    from ternary_sdk import exchange
    from ternary_sdk.logic import to_code

    gates = _few(found, target)
    if target is Target.VERILOG:
        return exchange.to_verilog(gates, encoding, _modules(gates, name))
    if target is Target.BLIF_MV:
        return exchange.to_blif_mv(gates) if name is None else exchange.to_blif_mv(gates, name)
    if target is Target.MRCS:
        return exchange.to_mrcs(gates)
    if target is Target.JSON:
        return exchange.to_json(gates)
    return "".join(f"{to_code(index, gates.space)}\n" for index in gates.index.tolist())


def _bench(found: "Exchanged", encoding: "Encoding | None", name: str | None) -> bytes:
    from ternary_sdk import exchange

    gates = _few(found, Target.VERILOG)
    return exchange.to_testbench(gates, encoding, _modules(gates, name)).encode()


def _few(found: "Exchanged", target: Target) -> "Gates":
    """The gates of a design file: named by their codes in Verilog, and as in the input in BLIF-MV."""
    from ternary_sdk._internal.exchange.gate_library import MOST_GATES
    from ternary_sdk.errors import InputError
    from ternary_sdk.exchange import Gates

    gates = found.gates
    if target is not Target.CODES and not 1 <= len(gates) <= MOST_GATES:
        raise InputError(f"{len(gates):,} operations, expected 1 to {MOST_GATES:,} as {target}")
    return Gates.of(gates.index, gates.space) if target is Target.VERILOG else gates


def _modules(gates: "Gates", name: str | None) -> list[str] | None:
    from ternary_sdk.errors import InputError

    if name is None:
        return None
    if len(gates) != 1:
        raise InputError(f"--name: names one module, but there are {len(gates):,} operations; leave it out")
    return [name]
