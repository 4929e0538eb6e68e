"""
The command's own refusals, beside the SDK's: what the operating system refuses, and a result that is one.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ternary_sdk.errors import InputError, TernaryError

STDOUT: Final = "standard output"


class FileError(TernaryError):
    """The operating system refuses a file or a standard stream."""

    code = "FILE"


class FoundWrongError(TernaryError):
    """A command did its work, and what it found is wrong: the result is printed, and the command is refused.

    Args:
        message: The sentence.
        result: What ``--json`` prints beside the refusal, in the same object.
    """

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message, result)
        self.result = result

    def __str__(self) -> str:
        return str(self.args[0])


@contextlib.contextmanager
def sentences(name: str | Path) -> Iterator[None]:
    """Turn the operating system's refusals about ``name`` into one sentence; a closed pipe stays one.

    Raises:
        FileError: If the operating system refuses.
        InputError: If no file can have such a name.
    """
    check_name(name)
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"{name}: {because(error)}") from None


def check_name(name: str | Path) -> None:
    """Refuse a name that no file can have; Python would raise its own error for it, not the system's.

    Raises:
        InputError: If it holds NUL, or letters that the system's code page lacks.
    """
    check_no_nul(str(name))
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        page = sys.getfilesystemencoding()
        raise InputError(
            f"{name}: the code page {page} lacks letters of this name; set PYTHONUTF8=1"
        ) from None


def check_no_nul(text: str) -> None:
    """Refuse text that no file's name can be, and that no system passes to a program.

    Raises:
        InputError: If it holds NUL.
    """
    if "\0" in text:
        raise InputError(f"{text!r}: holds NUL, which no file's name does")


def because(error: OSError) -> str:
    """Why the operating system refused, as the end of a sentence."""
    return (error.strerror or str(error) or type(error).__name__).lower()
