"""
Why a database cannot be used.
"""

from ternary_sdk.errors import TernaryError


class DatabaseError(TernaryError):
    """The database cannot be reached or used."""

    code = "DATABASE"


class RowConflictError(DatabaseError):
    """The database's own constraints rule a row out: somebody else was first."""


class BusyError(DatabaseError):
    """Others have what is needed, and kept it for longer than is waited."""


class StaleConnectionError(DatabaseError):
    """A connection that was kept leads nowhere, or to a server that takes no changes; a new one may do."""


def first_line(error: BaseException) -> str:
    """What a driver says in one line, without the values that follow."""
    cause = getattr(error, "orig", None) or error
    return (str(cause).splitlines() or [type(cause).__name__])[0][:200]
