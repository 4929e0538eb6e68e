"""
What brings a server back that refuses its operator: a new admin token, and a word for its clock.
"""

from contextlib import closing
from datetime import date

from ternary_license_server.database.engine import Database
from ternary_license_server.database.migration import existing
from ternary_license_server.service import access, timekeeping
from ternary_sdk._internal.documents.canonical import Json


def new_token(database: Database) -> dict[str, Json]:
    """Make an admin token for whoever may write the database on this machine; a server may be running.

    Args:
        database: The server's database, which must be there and have this release's tables.
    Returns:
        The token's facts, and ``secret``, told once.
    Raises:
        DatabaseError: If there is no such database, it is of another release, or it cannot be written.
    """
    existing(database)
    with database.write() as transaction:
        return access.add_local(transaction)


def confirm_clock(url: str, today: date) -> dict[str, Json]:
    """Let an operator vouch for the clock, which every process then believes.

    Args:
        url: The database's address.
        today: The present day in UTC, as the operator knows it.
    Returns:
        ``clock``, and ``newest``: what the database had seen before, None if nothing.
    Raises:
        InputError: If there is no such database, or its clock says another day.
        DatabaseError: If it cannot be used.
    """
    with closing(Database(url)) as database:
        existing(database)
        with database.write() as transaction:
            return timekeeping.confirm(transaction, today, actor="operator")
