"""
Reading BLIF-MV tables as operations.

One model is read. Each output has a ``.table`` of primary inputs, and is one operation of all the model's
inputs, in the order of ``.inputs``. What would have to be composed, latched or guessed is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

import numpy as np

from ternary_sdk._internal.exchange import blif_mv_lines
from ternary_sdk._internal.exchange.blif_mv_lines import Words
from ternary_sdk._internal.exchange.blif_mv_table import Signal, Table
from ternary_sdk._internal.exchange.gates import Gates
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import Space

MOST_BYTES: Final = 64 * 2**20
_READ: Final = ".model, .inputs, .outputs, .mv, .table, .default and .end"


def read(data: bytes, what: str) -> Gates:
    """Read the operations of a model, in the order of its outputs and under their names.

    A variable without ``.mv`` has two values. Names of values that ``.mv`` lists stand for digits in their
    order. ``=a`` in the column of an output is the value of the input a.

    Args:
        data: The file, at most 64 MiB.
        what: Its name in error messages.
    Raises:
        FormatError: If it is not such a model, or a table is not total, or gives two values in one cell, or
            its inputs and output do not have the same values. Line and reason are named.
    """
    if len(data) > MOST_BYTES:
        raise FormatError(f"{what}: more than {MOST_BYTES:,} bytes, expected at most that many")
    model = _Model(what=what)
    for words in blif_mv_lines.read(data, what):
        model.take(words)
    return model.gates()


@dataclass
class _Model:
    """What has been read so far of one file."""

    what: str
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    signals: dict[str, Signal] = field(default_factory=dict)
    tables: dict[str, tuple[Table, int]] = field(default_factory=dict)
    """The table of each output, and in which of its columns."""
    named: bool = False
    ended: bool = False
    open: Table | None = None
    """The table whose rows are being read."""

    def take(self, line: Words) -> None:
        """Take one line in."""
        first = line.words[0]
        if self.ended:
            self.refuse(line, f"{first[:40]!r} after .end, expected one model")
        if not first.startswith("."):
            if self.open is None:
                self.refuse(line, f"{first[:40]!r} outside a table, expected {_READ}")
            self.open.take_row(line.words, line.line, self._where(line))
            return
        if first in (".default", ".def"):
            if self.open is None:
                self.refuse(line, ".default outside a table")
            self.open.take_default(line.words[1:], line.line, self._where(line))
            return
        self.open = None
        take = {
            ".model": self._model,
            ".inputs": self._inputs,
            ".outputs": self._outputs,
            ".mv": self._mv,
            ".table": self._table,
            ".end": self._end,
        }.get(first)
        if take is None:
            self.refuse(line, f"{first[:40]} cannot be read here, expected {_READ}")
        take(line)

    def gates(self) -> Gates:
        """The operations, once all lines are in."""
        if not self.inputs or not self.outputs:
            missing = ".inputs" if not self.inputs else ".outputs"
            raise FormatError(f"{self.what}: no {missing}, expected a BLIF-MV model")
        without = next((name for name in self.outputs if name not in self.tables), None)
        if without is not None:
            raise FormatError(f"{self.what}: output {without[:60]} has no .table")
        space = self._space()
        found = [self.tables[name] for name in self.outputs]
        rows = [table.column(place, self.inputs, space) for table, place in found]
        digits = np.array(rows, np.int8)
        return Gates(space=space, index=space.to_index(digits + space.lowest), names=tuple(self.outputs))

    def refuse(self, line: Words, reason: str) -> NoReturn:
        """Refuse the file at a line."""
        raise FormatError(f"{self._where(line)}: {reason}")

    def _where(self, line: Words) -> str:
        return f"{self.what}: line {line.line}"

    def _model(self, line: Words) -> None:
        if self.named:
            self.refuse(line, "a second .model, expected one")
        self.named = True

    def _inputs(self, line: Words) -> None:
        self.inputs += self._new(line, [*self.inputs, *self.outputs])

    def _outputs(self, line: Words) -> None:
        self.outputs += self._new(line, [*self.inputs, *self.outputs])

    def _new(self, line: Words, known: Sequence[str]) -> list[str]:
        seen = set(known)
        for name in line.words[1:]:
            if name in seen:
                self.refuse(line, f"{name[:60]} is declared twice")
            seen.add(name)
        return line.words[1:]

    def _mv(self, line: Words) -> None:
        words = " ".join(line.words[1:]).replace(",", " ").split()
        count = next((place for place, word in enumerate(words) if place and word.isdecimal()), None)
        if count is None or not words[count].isascii() or len(words[count]) > 3:
            self.refuse(line, ".mv needs variables and a number of values, such as '.mv a,b 3'")
        radix, names = int(words[count]), words[count + 1 :]
        if radix < 2 or (names and len(set(names)) != radix):
            found = f" with {len(set(names))} names" if names else ""
            self.refuse(line, f"{radix} values{found}, expected at least 2, and as many names or none")
        for variable in words[:count]:
            if variable in self.signals:
                self.refuse(line, f"{variable[:60]} has two .mv")
            if any(variable in table.variables for table, _ in self.tables.values()):
                self.refuse(line, f".mv of {variable[:60]} after its table, expected before")
            self.signals[variable] = Signal(radix, tuple(names))

    def _table(self, line: Words) -> None:
        words = line.words[1:]
        if "->" in words:
            place = words.index("->")
            inputs, outputs = words[:place], words[place + 1 :]
        else:
            inputs, outputs = words[:-1], words[-1:]
        if not outputs or "->" in outputs:
            self.refuse(line, "a table without an output")
        for name in inputs:
            if name not in self.inputs or inputs.count(name) > 1:
                self.refuse(line, f"{name[:60]} is not one of the model's inputs, each once")
        for name in outputs:
            if name not in self.outputs:
                self.refuse(line, f"{name[:60]} is not one of the model's outputs")
            if name in self.tables or outputs.count(name) > 1:
                self.refuse(line, f"{name[:60]} has two tables")
        signals = {name: self.signals.get(name, Signal(2, ())) for name in (*inputs, *outputs)}
        self.open = Table(tuple(inputs), tuple(outputs), signals, f"{self._where(line)}: .table of ")
        self.tables |= {name: (self.open, place) for place, name in enumerate(outputs)}

    def _end(self, line: Words) -> None:  # noqa: ARG002
        self.ended = True

    def _space(self) -> Space:
        radices: Mapping[str, int] = {
            name: self.signals.get(name, Signal(2, ())).radix for name in (*self.inputs, *self.outputs)
        }
        first, radix = next(iter(radices.items()))
        for name, other in radices.items():
            if other != radix:
                raise FormatError(
                    f"{self.what}: {first[:60]} has {radix} values and {name[:60]} has {other},"
                    " expected one number for all inputs and outputs"
                )
        try:
            return Space(radix, len(self.inputs))
        except InputError as refusal:
            raise FormatError(f"{self.what}: {refusal}") from None
