"""
One node of a foreign model: what it reads and says, and how it is refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from ternary_export.foreign.layers import Rows
from ternary_export.foreign.network import Doubles
from ternary_sdk.errors import FormatError

Numbers = npt.NDArray[np.float64]
"""Stored numbers: weights, in double precision whatever they are stored as."""

Whole = tuple[int, ...]
"""A short list of whole numbers: shapes, axes, places. The length of the batch is ``BATCH``."""

BATCH: Final = -(1 << 62)
"""The length of the batch, which is not known; no other whole number of a model may have this value."""

Known = Rows | Numbers | Whole

MOST_WHOLE: Final = 4096
"""The longest list of whole numbers that is read."""

_REALS: Final = (TensorProto.FLOAT, TensorProto.DOUBLE)
_WHOLE: Final = (TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL)


def named(text: str) -> str:
    """A name from somebody else's file, as messages show it."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def tensor(stored: TensorProto, what: str) -> Known:
    """Read a stored tensor.

    Raises:
        FormatError: If it is outside the file, damaged, of another element type, or not finite.
    """
    if stored.data_location == TensorProto.EXTERNAL or stored.external_data:
        raise FormatError(
            f"{what}: is stored in another file; nearest: all weights inside, which torch.onnx.export "
            "writes with external_data=False"
        )
    if stored.data_type not in (*_REALS, *_WHOLE):
        kind = TensorProto.DataType.Name(stored.data_type) if stored.data_type in _KINDS else "unknown"
        raise FormatError(f"{what}: has element type {kind}; nearest: float32")
    try:
        array = numpy_helper.to_array(stored)
    except (ValueError, TypeError) as error:
        raise FormatError(f"{what}: its data is damaged ({str(error).splitlines()[0][:120]})") from None
    if array.size == 0:
        raise FormatError(f"{what}: has shape {array.shape}, expected at least one number")
    if stored.data_type in _REALS:
        if not np.isfinite(array).all():
            raise FormatError(f"{what}: holds a value that is not finite")
        return array.astype(np.float64)
    if array.size > MOST_WHOLE:
        raise FormatError(f"{what}: holds {array.size:,} whole numbers; nearest: float32")
    numbers = tuple(int(number) for number in array.ravel())
    if any(abs(number) >= -BATCH for number in numbers):
        raise FormatError(f"{what}: holds a whole number beyond 2^62; nearest: one that a slice needs")
    return numbers


_KINDS: Final = frozenset(TensorProto.DataType.values())


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """A node whose inputs are known."""

    what: str
    """Its file, number, operator and name, for error messages."""

    operator: str
    inputs: tuple[Known | None, ...]
    """None where an optional one is left out."""

    outputs: int
    """How many results it has."""

    attributes: Mapping[str, AttributeProto]
    batch: int
    """The model's fixed number of rows at once, or -1."""

    def refused(self, found: str, nearest: str) -> FormatError:
        """A refusal that names this node and the nearest form that is accepted."""
        return FormatError(f"{self.what}: {found}; nearest: {nearest}")

    def given(self, place: int) -> Known | None:
        """An input, or None if it is left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def rows(self, place: int = 0) -> Rows:
        """An input that is computed for each row."""
        value = self.given(place)
        if not isinstance(value, Rows):
            raise self.refused(f"its input {place} is stored", "a tensor that is computed for each row")
        return value

    def numbers(self, place: int) -> Doubles:
        """An input that is stored numbers."""
        value = self.given(place)
        if not isinstance(value, np.ndarray):
            raise self.refused(f"its input {place} is not stored numbers", "weights inside the file")
        return value

    def whole(self, place: int) -> Whole:
        """An input that is whole numbers, stored or computed from shapes."""
        value = self.given(place)
        if not isinstance(value, tuple):
            raise self.refused(f"its input {place} is not stored", "whole numbers inside the file")
        return value

    def integer(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        return int(self.attributes[name].i) if name in self.attributes else default

    def integers(self, name: str) -> Whole | None:
        """An attribute that is a list of whole numbers, if it is there."""
        return tuple(self.attributes[name].ints) if name in self.attributes else None

    def real(self, name: str, default: float) -> float:
        """An attribute that is a number."""
        return float(self.attributes[name].f) if name in self.attributes else default

    def text(self, name: str, default: str) -> str:
        """An attribute that is a string."""
        return self.attributes[name].s.decode("utf-8", "replace") if name in self.attributes else default

    def columns(self, axis: int) -> None:
        """Refuse another axis than that of a row's features.

        Raises:
            FormatError: If it is another, or a row is no list.
        """
        tails = [value.tail for value in self.inputs if isinstance(value, Rows)]
        if axis not in (1, -1) or any(len(tail) != 1 for tail in tails):
            shapes = " and ".join(shape(tail) for tail in tails)
            raise self.refused(f"its axis is {axis} of {shapes}", "axis 1 of (n, features)")


def shape(tail: tuple[int, ...]) -> str:
    """The shape of a tensor with a batch."""
    return f"({', '.join(map(str, ('n', *tail)))})"


def label(file: str, number: int, node: onnx.NodeProto) -> str:
    """What messages call a node."""
    name = f", {named(node.name)}" if node.name else ""
    operator = node.op_type if re.fullmatch(r"\w{1,60}", node.op_type) else named(node.op_type)
    domain = f"{node.domain}." if re.fullmatch(r"[\w.-]{1,60}", node.domain) else ""
    return f"{file}: node {number} ({domain}{operator}{name})"


def constant(node: onnx.NodeProto, what: str) -> Known:
    """What a Constant node stores.

    Raises:
        FormatError: If it stores anything but numbers.
    """
    for attribute in node.attribute:
        if attribute.name == "value":
            return tensor(attribute.t, what)
        if attribute.name in ("value_int", "value_ints"):
            found = helper.get_attribute_value(attribute)
            return (found,) if isinstance(found, int) else tuple(found)
        if attribute.name in ("value_float", "value_floats"):
            return np.array(helper.get_attribute_value(attribute), np.float64)
    raise FormatError(f"{what}: stores no numbers; nearest: a float32 tensor")
