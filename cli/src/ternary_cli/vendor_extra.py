"""
The border to the vendor's packages, which a client does not have.
"""

import contextlib
from collections.abc import Iterator

from ternary_sdk.errors import TernaryError


@contextlib.contextmanager
def vendor_extra(command: str, extra: str = "vendor") -> Iterator[None]:
    """Import the vendor's packages inside; where one is not installed, refuse and say what to install.

    Args:
        command: What the user typed, such as ``ternary train``.
        extra: What to install: all of the vendor's packages, or ``server``.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        raise TernaryError(
            f"{command} is a vendor's command and {missing.name} is not installed; "
            f"install the vendor's packages: pip install 'ternary-cli[{extra}]'"
        ) from None
