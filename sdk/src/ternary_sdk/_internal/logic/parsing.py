"""
What a text that stands for an operation means, in any space.

People write an operation as an index, a code, a name or its values. Some texts mean two operations: `MAX` is
a name and a code, and projects disagree about `CONSENSUS`. In data such a text is refused with all of them.
The form decides where it is known: by a column's name, or by what stands before a colon, as in `code:MAX`.
What a person types means its name first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.logic import codes, names
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["Form", "parse", "parse_typed"]

_DIGITS: Final = "0123456789ABCDE"
_VALUE: Final = r" *[+-]?[0-9]{1,2} *"


class Form(StrEnum):
    """How a text stands for an operation."""

    ANY = "operation"
    """Any of the others, signs, digits, or values with commas."""
    INDEX = "index"
    """The canonical index, with no more digits than the largest of the space has."""
    CODE = "code"
    """As ``to_code`` writes it, in any case."""
    NAME = "name"
    """A name or an alias of ``named``, in any case."""


@dataclass(frozen=True)
class _Reading:
    """One meaning of a text."""

    form: str
    index: int
    shown: str
    """The operation, as a refusal names it."""


def parse(text: str, space: Space = TERNARY_2, form: Form = Form.ANY) -> int:
    """The canonical index of the operation that a text stands for.

    Upper and lower case mean the same. Signs (`-`, `0`, `+`, of radix 3 alone), digits (`0` is the lowest
    value) and values with commas between them are the cells in their order, the last input fastest.

    Args:
        text: Such as `15633`, `PC0`, `MIN`, `----00-0+`, `000011012`, `-1,-1,-1,-1,0,0,-1,0,1`, `code:MAX` or
            `name:MAX`.
        space: What it is an operation of.
        form: What the text is, if that is known.
    Raises:
        InputError: If it stands for no operation, or for more than one.
    """
    if form is Form.ANY:
        text, form = _without_form(text)
    readings = list(_readings(text, space)) if text.isascii() else []
    if form is not Form.ANY:
        readings = [each for each in readings if each.form == form]
    if not readings:
        raise InputError(f"{_shown(text)} is not an operation, expected {_expected(form, space)}")
    if len({each.index for each in readings}) > 1:
        found = " or ".join(f"the {each.form} of operation {each.shown}" for each in readings)
        ways = " or ".join(["the index", *_with_form(text, readings)])
        raise InputError(f"{text!r} is ambiguous: {found}; write {ways}")
    return readings[0].index


def parse_typed(text: str, space: Space = TERNARY_2) -> int:
    """As ``parse``, for what a person types: `MAX` is the name, though it is a code too.

    Raises:
        InputError: As ``parse``; also where several operations have the name.
    """
    named = text.isascii() and any(each.form == Form.NAME for each in _readings(text, space))
    return parse(text, space, Form.NAME if named else Form.ANY)


def _with_form(text: str, readings: Sequence[_Reading]) -> list[str]:
    """The forms that a text may begin with, so that it means one operation."""
    forms = [each.form for each in readings]
    return [f"{form}:{text}" for form in (Form.CODE, Form.NAME) if forms.count(form) == 1]


def _without_form(text: str) -> tuple[str, Form]:
    """A text, and the form that it begins with, as in `code:MAX`."""
    word, colon, rest = text.partition(":")
    known = colon and word.lower() in (Form.INDEX, Form.CODE, Form.NAME)
    return (rest, Form(word.lower())) if known else (text, Form.ANY)


def _readings(text: str, space: Space) -> Iterator[_Reading]:
    if re.fullmatch(rf"[0-9]{{1,{len(str(space.size - 1))}}}", text) and int(text) < space.size:
        yield _Reading("index", int(text), str(int(text)))
    if len(text) == codes.code_length(space) and set(text.upper()) <= set(codes.alphabet(space)):
        index = codes.from_code(text, space)
        yield _Reading("code", index, str(index))
    found = names.meanings(text, space)
    for each in found:
        shown = f"{each.index} ({each.name}, {each.code})" if len(found) > 1 else str(each.index)
        yield _Reading("name", each.index, shown)
    for kind, digits in _cells(text, space):
        index = sum(digit * space.radix**cell for cell, digit in enumerate(digits))
        yield _Reading(kind, index, str(index))


def _cells(text: str, space: Space) -> Iterator[tuple[str, list[int]]]:
    """The digits of a truth table that is written out, once for each way in which it may be."""
    alphabets = {"signs": "-0+" if space.radix == 3 else "", "digits": _DIGITS[: space.radix]}
    for kind, alphabet in alphabets.items():
        if len(text) == space.cells and set(text.upper()) <= set(alphabet):
            yield kind, [alphabet.index(character) for character in text.upper()]
    if re.fullmatch(rf"(?:{_VALUE},){{{space.cells - 1}}}{_VALUE}", text):
        digits = [int(value) - space.lowest for value in text.split(",")]
        if min(digits) >= 0 and max(digits) < space.radix:
            yield "values", digits


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:57]!r}…"


def _expected(form: Form, space: Space) -> str:
    if form is Form.INDEX:
        return f"an index, 0 to {space.size - 1}"
    if form is Form.CODE:
        return f"a code: {codes.expected_code(space)}"
    if form is Form.NAME:
        return "a name: " + ", ".join(sorted(each.name for each in names.named(space)))
    length, cells = codes.code_length(space), space.cells
    ways = ["an index", f"a code of {length} character{'' if length == 1 else 's'}"]
    if space.radix == 3:
        ways.append(f"{cells} signs")
    ways += [f"{cells} digits from 0 to {_DIGITS[space.radix - 1]}", f"{cells} values with commas"]
    return f"{', '.join(ways)}, or a name"
