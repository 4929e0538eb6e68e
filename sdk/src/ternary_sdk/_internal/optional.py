"""
Libraries of other people that only some callers need, imported when they are used.
"""

from importlib import import_module
from typing import Any

from ternary_sdk.errors import InputError


def library(name: str) -> Any:
    """Import a library that may be missing, such as ``pyarrow`` or ``pyarrow.parquet``.

    Raises:
        InputError: If it is not installed, or cannot be imported.
    """
    distribution = name.partition(".")[0]
    try:
        return import_module(name)
    except ImportError as error:
        if error.name == distribution:
            raise InputError(f"{distribution}: is not installed; run 'pip install {distribution}'") from None
        reason = str(error).partition("\n")[0]
        raise InputError(f"{distribution}: is installed and cannot be imported ({reason})") from error
