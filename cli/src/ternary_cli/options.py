"""
The options that several commands share: one name, one type and one sentence of help for each.

Only the standard library and typer are imported here, so that ``ternary --help`` is instant.
"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer


class Format(StrEnum):
    """How rows are written."""

    TABLE = "table"
    CSV = "csv"
    JSONL = "jsonl"
    NPY = "npy"


class PathName(StrEnum):
    """Which of the model's two paths does the work."""

    A = "A"
    B = "B"


def argument(metavar: str, text: str) -> Any:
    """An argument by position: what stands for it in usage lines, and its sentence of help."""
    return typer.Argument(metavar=metavar, help=text, show_default=False)


def option(*names: str, metavar: str | None = None, text: str) -> Any:
    """An option: its names, what stands for its value in usage lines, and its sentence of help."""
    return typer.Option(*names, metavar=metavar, help=text, show_default=False)


_PACKAGE: Final = "The .ternary package; else what 'ternary use' pinned, else the evaluation package."
_ROWS: Final = "CSV, JSON lines or .npy; standard input if left out or '-'."
_FORMAT: Final = "Default: by the name of --out, else a table on a terminal and CSV in a pipe."

PackageArgument = Annotated[Path | None, argument("FILE", _PACKAGE)]
PackageOption = Annotated[Path | None, option("--package", metavar="FILE", text=_PACKAGE)]
LicenseOption = Annotated[Path | None, option("--license", metavar="L", text="The license file.")]
TrustOption = Annotated[Path | None, option("--trust", metavar="T", text="The vendor's trust file.")]
PathOption = Annotated[PathName | None, option("--path", text="Default: the package's default path.")]
RowsArgument = Annotated[Path | None, argument("ROWS", _ROWS)]
FormatOption = Annotated[Format | None, option("--format", text=_FORMAT)]
OutOption = Annotated[
    Path | None, option("--out", "-o", metavar="F", text="Write here; standard output if left out or '-'.")
]
MachineOption = Annotated[
    str | None,
    option("--machine-id", metavar="ID", text="This machine's id where it has none, as in a container."),
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
NewFileOption = Annotated[
    Path, option("--out", "-o", metavar="FILE", text="The file to write; one with other content is kept.")
]
