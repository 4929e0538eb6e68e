"""
The border to what a client's installation does not have: the vendor's packages, and the online extra.

A missing module is blamed on an extra only if that extra installs it. Any other failed import is a damaged
installation or a system that lacks something, and no extra repairs that.
"""

import contextlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import TernaryError

_TRAINS: Final = {"ternary_trainer", "torch", "rich"}
_SERVES: Final = {
    *("fastapi", "uvicorn", "uvloop", "httptools", "httpcore"),
    *("sqlalchemy", "alembic", "psycopg", "prometheus_client"),
}
_CALLS: Final = {"httpx", "truststore"}

EXTRAS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "vendor": frozenset({*_TRAINS, "ternary_export", "onnx", "ternary_license_server"}),
        "server": frozenset({*_SERVES, *_CALLS, "ternary_license_server"}),
        "online": frozenset(_CALLS),
    }
)
"""The modules that each extra of ``ternary-cli`` installs and a client's plain installation does not have."""


@contextlib.contextmanager
def vendor_extra(command: str, extra: str = "vendor") -> Iterator[None]:
    """Import the vendor's packages inside; where one is not installed, refuse and say what to install.

    Args:
        command: What the user typed, such as ``ternary train``.
        extra: What to install: all of the vendor's packages, or ``server``.
    """
    with _imported(
        command,
        extra,
        f"{command} is a vendor's command and {{}} is not installed; "
        f"install the vendor's packages: {pip_install('ternary-cli', extra)}",
    ):
        yield


@contextlib.contextmanager
def online_extra(command: str) -> Iterator[None]:
    """Import what talks to servers inside; where it is not installed, refuse and say what to install."""
    with _imported(
        command,
        "online",
        f"{command} needs {{}}, which is not installed: {pip_install('ternary-cli', 'online')}",
    ):
        yield


@contextlib.contextmanager
def _imported(command: str, extra: str, missing: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        module = (error.name or "").partition(".")[0]
        if isinstance(error, ModuleNotFoundError) and module in EXTRAS[extra]:
            raise TernaryError(missing.format(module)) from None
        reason = str(error).partition("\n")[0]
        raise TernaryError(
            f"{command} cannot run here ({reason}); installing ternary-cli[{extra}] again does not help: "
            "the installation is damaged, or this system lacks what it needs"
        ) from error
