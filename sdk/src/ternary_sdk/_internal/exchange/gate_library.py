"""
A library of gates as the files of one folder: a file for each operation, and an index of them all.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.exchange import blif_mv, encodings, gate_json, mrcs, testbench, verilog
from ternary_sdk._internal.exchange.choices import Encoding, LibraryFormat
from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk._internal.logic.codes import to_code
from ternary_sdk.errors import InputError

INDEX: Final = "index.json"
MOST_GATES: Final = 20_000
"""All two-input ternary operations fit."""
TOP: Final = "library_tb"
"""The module, and with ``.v`` the file, of the testbench that runs all others."""


def write(gates: Gates, form: LibraryFormat, encoding: Encoding | None = None) -> dict[str, bytes]:
    """The files of a library, by name: each operation once, and ``index.json``.

    The index has for each operation its index, code, name, file and the file's SHA-256, and of a library in
    Verilog its testbench and theirs. The same operations give the same bytes.

    Args:
        gates: The operations; their names are not used.
        form: What the files are.
        encoding: Of values in bits, for Verilog; None is MRCS's for three values, else plain binary.
    Raises:
        InputError: If there are no operations or more than 20,000, an encoding where nothing is encoded, or
            one that cannot be written in this format.
    """
    if form is not LibraryFormat.VERILOG and encoding is not None:
        raise InputError(f"library: encoding {encoding} is of Verilog, but the format is {form}")
    once = gates.different
    if not 1 <= len(once) <= MOST_GATES:
        raise InputError(f"library: {len(once):,} different operations, expected 1 to {MOST_GATES:,}")
    how = encodings.chosen(encoding, gates.space) if form is LibraryFormat.VERILOG else None
    files, entries = dict[str, bytes](), list[Json]()
    for place, index in enumerate(once.index.tolist()):
        gate = Gates(space=once.space, index=once.index[[place]], names=once.names[place : place + 1])
        name, made = _written(gate, form, how)
        files |= made
        entries.append({"code": to_code(index, once.space), "index": index, "name": name, **_stated(made)})
    listing: dict[str, Json] = {
        "kind": "ternary-library/1",
        "space": once.space.to_json(),
        "format": str(form),
        "operations": entries,
    }
    if how is not None:
        top = {f"{TOP}.v": testbench.write_top(verilog.module_names(once), TOP).encode()}
        files |= top
        listing |= {"encoding": str(how), **_stated(top)}
    files[INDEX] = json.dumps(listing, indent=2).encode() + b"\n"
    return files


def _written(gate: Gates, form: LibraryFormat, how: Encoding | None) -> tuple[str, dict[str, bytes]]:
    """The name of one gate, and its files."""
    (name,) = gate.names
    if form is LibraryFormat.VERILOG:
        (name,) = verilog.module_names(gate)
        bench = testbench.write(gate, how).encode()
        return name, {f"{name}.v": verilog.write(gate, how).encode(), f"{name}{testbench.SUFFIX}.v": bench}
    if form is LibraryFormat.BLIF_MV:
        return name, {f"{name}.mv": blif_mv.write(gate, model=name + "_model").encode()}
    if form is LibraryFormat.MRCS:
        return name, {f"{name}.csv": mrcs.write(gate).encode()}
    return name, {f"{name}.json": gate_json.write(gate).encode()}


def _stated(files: Mapping[str, bytes]) -> dict[str, Json]:
    """What the index says of files: a testbench's name and digest under names of their own."""
    stated = dict[str, Json]()
    for name, data in files.items():
        bench = name.endswith(f"{testbench.SUFFIX}.v")
        stated |= {
            "testbench" if bench else "file": name,
            "testbench_sha256" if bench else "sha256": hashlib.sha256(data).hexdigest(),
        }
    return stated
