"""Numbers on the command line are of ASCII digits, on every command."""

from collections.abc import Iterator
from typing import Any

import pytest
import typer

from ternary_cli.main import app

OURS = (
    "_whole",
    "_large",
    "_large_by_path",
    "_span",
    "_seed",
    "_size",
    "_number",
    "boolean",
    "choice",
    "path",
    "str",
)
"""Every other kind is click's, under names that change: its numbers with a range are 'int range'."""


def parameters(command: Any, name: str = "ternary") -> Iterator[tuple[str, Any]]:
    yield from ((name, parameter) for parameter in command.params)
    for word, inner in getattr(command, "commands", {}).items():
        yield from parameters(inner, f"{name} {word}")


def numeric() -> dict[str, Any]:
    return {
        f"{name} {parameter.name}": parameter
        for name, parameter in parameters(typer.main.get_command(app))
        if parameter.type.name in ("_whole", "_large", "_size", "_span", "_number")
    }


def test_no_option_is_read_by_clicks_own_numbers() -> None:
    loose = [
        f"{name} {parameter.name}"
        for name, parameter in parameters(typer.main.get_command(app))
        if parameter.type.name not in OURS
    ]
    assert loose == []
    assert len(numeric()) >= 20


@pytest.mark.parametrize("option", numeric())
@pytest.mark.parametrize(
    "text", ["1_0", "١", "１", "0x1", "nan", "inf", "1e999", "", " 1", "1 ", "1,5", "+-1"]
)
def test_what_is_not_a_number_of_ascii_digits_is_refused(option: str, text: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        numeric()[option].type.convert(text, None, None)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("option", numeric())
def test_a_number_of_ascii_digits_is_read(option: str) -> None:
    kind = numeric()[option].type
    if kind.name == "_large":
        assert [kind.convert(text, None, None) for text in ("1", "10", "007", "1e8")] == [1, 10, 7, 10**8]
        return
    if kind.name == "_size":
        assert [kind.convert(text, None, None) for text in ("512M", "2G")] == [2**29, 2**31]
        return
    if kind.name == "_span":
        assert [kind.convert(text, None, None) for text in ("1d", "30d", "4w")] == [
            86_400, 2_592_000, 2_419_200,
        ]  # fmt: skip
        return
    assert [kind.convert(text, None, None) for text in ("0", "10", "+3", "-3", "007")] == [0, 10, 3, -3, 7]
    if kind.name == "_number":
        assert [kind.convert(text, None, None) for text in ("0.5", ".5", "1.", "1e-3")] == [
            0.5,
            0.5,
            1.0,
            0.001,
        ]
