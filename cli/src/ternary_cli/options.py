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


def _argument(metavar: str, text: str) -> Any:
    return typer.Argument(metavar=metavar, help=text, show_default=False)


def _option(*names: str, metavar: str | None = None, text: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, show_default=False, case_sensitive=False)


_PACKAGE: Final = "The .ternary package; else what 'ternary use' pinned, else the evaluation package."
_ROWS: Final = "CSV, JSON lines or .npy; standard input if left out or '-'."
_FORMAT: Final = "Default: by the name of --out, else a table on a terminal and CSV in a pipe."

PackageArgument = Annotated[Path | None, _argument("[FILE]", _PACKAGE)]
PackageOption = Annotated[Path | None, _option("--package", metavar="FILE", text=_PACKAGE)]
LicenseOption = Annotated[Path | None, _option("--license", metavar="L", text="The license file.")]
TrustOption = Annotated[Path | None, _option("--trust", metavar="T", text="The vendor's trust file.")]
PathOption = Annotated[PathName | None, _option("--path", text="Default: the package's default path.")]
RowsArgument = Annotated[Path | None, _argument("[ROWS]", _ROWS)]
FormatOption = Annotated[Format | None, _option("--format", text=_FORMAT)]
OutOption = Annotated[
    Path | None, _option("--out", "-o", metavar="F", text="Write here, not to standard output.")
]
JsonOption = Annotated[bool, _option("--json", text="Print one JSON object.")]
KeysOption = Annotated[Path, _option("--keys", metavar="DIR", text="What 'ternary keys init' made.")]
