"""
The options that several commands share: one name, one type and one sentence of help for each.

Only the standard library, typer and the formats' names are imported here, so that ``ternary --help`` is
instant.
"""

import math
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ternary_cli.formats import Format

ORDER: Final = (
    "Of two-input ternary operations the trit tk, k = 3(a + 1) + (b + 1), is f(a, b): b varies fastest. "
    "In every space the last input does."
)
"""The order of a table's cells, in the help of every command that reads or writes tables."""


class Device(StrEnum):
    """Where tensors are computed."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"


def argument(metavar: str, text: str) -> Any:
    """An argument by position: what stands for it in usage lines, and its sentence of help."""
    return typer.Argument(metavar=metavar, help=text, show_default=False)


def option(*names: str, metavar: str | None = None, text: str) -> Any:
    """An option: its names, what stands for its value in usage lines, and its sentence of help."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False)


def whole(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a whole number in ASCII digits; click's own type also reads `1_0` and `١`."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_whole)


def seed(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a whole number in digits, or in hex as other commands print seeds: `0x…`."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_seed)


def large(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a whole number from 1, as `100000000` or `1e8`."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_large)


def large_by_path(*names: str, metavar: str, text: str) -> Any:
    """As ``large``, or one number for each path that is named: ``A=1e9,B=1e8``."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_large_by_path)


def size(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a number of bytes, as `512M` or `2G`."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_size)


def span(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a time in days or weeks, as `30d` or `4w`; in seconds."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_span)


def number(*names: str, metavar: str, text: str) -> Any:
    """An option whose value is a number as `0.5` or `1e-3` in ASCII, and finite."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, parser=_number)


def _whole(text: str | int) -> int:
    if isinstance(text, str) and not re.fullmatch(r"[+-]?[0-9]{1,30}", text):
        raise typer.BadParameter(f"{text!r} is not a whole number.")
    return int(text)


def _seed(text: str | int) -> int:
    if isinstance(text, str) and text[:2] == "0x":
        if not re.fullmatch(r"0x[0-9a-fA-F]{1,16}", text):
            raise typer.BadParameter(f"{text!r} is not 0x and 1 to 16 hex digits.")
        return int(text, 16)
    return _whole(text)


def _large(text: str | int) -> int:
    if isinstance(text, int):
        return text
    found = re.fullmatch(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?(?:[eE]\+?([0-9]{1,2}))?", text)
    if found:
        digits, decimals, exponent = found[1], (found[2] or "").rstrip("0"), int(found[3] or 0)
        zeros = exponent - len(decimals)
        if zeros >= 0 and (value := int(digits + decimals + zeros * "0")):
            return value
    raise typer.BadParameter(f"{text!r} is not a whole number from 1, such as 100000000 or 1e8.")


def _large_by_path(text: str | int) -> int | dict[str, int]:
    if isinstance(text, int) or "=" not in text:
        return _large(text)
    found: dict[str, int] = {}
    for part in text.split(","):
        path, _, number = part.partition("=")
        if not re.fullmatch(r"[A-Z]", path) or path in found:
            raise typer.BadParameter(f"{text!r} is not one number for each path, such as A=1e9,B=1e8.")
        found[path] = _large(number)
    return found


def _size(text: str | int) -> int:
    if isinstance(text, int):
        return text
    found = re.fullmatch(r"([0-9]{1,9})([MG])", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a size such as 512M or 2G.")
    return int(found[1]) << (20 if found[2] == "M" else 30)


def _span(text: str | int) -> int:
    if isinstance(text, int):
        return text
    found = re.fullmatch(r"([1-9][0-9]{0,4})([dw])", text)
    if not found:
        raise typer.BadParameter(f"{text!r} is not a time such as 30d or 4w.")
    return int(found[1]) * (86_400 if found[2] == "d" else 7 * 86_400)


def _number(text: str | float) -> float:
    if isinstance(text, str) and not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
        raise typer.BadParameter(f"{text!r} is not a number.")
    value = float(text)
    if math.isinf(value):
        raise typer.BadParameter(f"{text!r} is too large.")
    return value


def expect_no_option(operation: str) -> None:
    """Refuse a mistyped option, which is taken for the operation because signs may begin with a hyphen."""
    if operation.startswith("-") and not re.fullmatch(r"[-+0-9, ]+", operation):
        raise typer.BadParameter(f"{operation!r} is neither an option nor an operation.")


_PACKAGE: Final = "The .ternary package; else what 'ternary use' pinned, else the evaluation package."
_ROWS: Final = "CSV, JSON, .npy, Parquet or Arrow; standard input if left out or '-'."
_FORMAT: Final = "Default: by the name of --out, else a table on a terminal and CSV in a pipe."

PackageArgument = Annotated[Path | None, argument("FILE", _PACKAGE)]
PackageOption = Annotated[Path | None, option("--package", metavar="FILE", text=_PACKAGE)]
LicenseArgument = Annotated[Path | None, argument("L", "The license; default: the pinned one.")]
LicenseOption = Annotated[Path | None, option("--license", metavar="L", text="The license file.")]
TrustOption = Annotated[Path | None, option("--trust", metavar="T", text="The vendor's trust file.")]
PathOption = Annotated[
    str | None, option("--path", metavar="P", text="A path's letter; default: the package's default path.")
]
RowsArgument = Annotated[Path | None, argument("ROWS", _ROWS)]
FormatOption = Annotated[Format | None, option("--format", text=_FORMAT)]
OutOption = Annotated[
    Path | None, option("--out", "-o", metavar="F", text="Write here; standard output if left out or '-'.")
]
MachineOption = Annotated[
    str | None,
    option("--machine-id", metavar="ID", text="This machine's id where it has none, as in a container."),
]
PictureOption = Annotated[
    Path | None,
    option("--out", "-o", metavar="F", text="Write here, .svg too; standard output if left out or '-'."),
]
WhereOption = Annotated[
    str | None,
    option(
        "--where",
        metavar="EXPR",
        text="As 'commutative & not monotone', by names that 'ternary properties' lists.",
    ),
]
LikeOption = Annotated[
    str | None, option("--like", metavar="TABLE", text="Cells, any value for ?, as '-,?,+ / ?,0,? / ?,?,-'.")
]
DeviceOption = Annotated[
    Device | None, option("--device", text="Where to compute; default: auto, the GPU if it works.")
]
StateOption = Annotated[
    Path | None,
    option(
        "--state",
        metavar="DIR",
        text="Pins, meter, clock mark and installation key; default: in the user's data directory.",
    ),
]
JsonOption = Annotated[bool, option("--json", text="Print one JSON object.")]
KeysOption = Annotated[Path, option("--keys", metavar="DIR", text="What 'ternary keys init' made.")]
ForceOption = Annotated[bool, option("--force", text="Replace a file that is there.")]
ClaimOption = Annotated[
    list[str] | None,
    option("--claim", metavar="x-NAME=TEXT", text="What of yours the license carries; repeat for more."),
]
NewFileOption = Annotated[
    Path, option("--out", "-o", metavar="FILE", text="The file to write; one with other content is kept.")
]
