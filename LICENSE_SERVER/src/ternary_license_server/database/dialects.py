"""
What SQLite and PostgreSQL say differently, beside how a connection is set up (``engine``).
"""

from datetime import UTC, datetime
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Connection, Table, text
from sqlalchemy.dialects import postgresql, sqlite

_DIALECTS: Final[dict[str, ModuleType]] = {"sqlite": sqlite, "postgresql": postgresql}
NAMES: Final = tuple(_DIALECTS)
_PAGES: Final = text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
_SIZE: Final = text("SELECT pg_database_size(current_database())")
_TIME: Final = text("SELECT clock_timestamp()")


def insert(name: str, table: Table) -> Any:
    """An INSERT that may say what happens on a conflict; SQLAlchemy has a class for each database."""
    return _DIALECTS[name].insert(table)


def clock_time(connection: Connection) -> datetime:
    """The present moment, UTC: of PostgreSQL's machine, which all replicas share; on SQLite of this one."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    found: datetime = connection.execute(_TIME).scalar_one()
    return found.astimezone(UTC)


def size(connection: Connection) -> int:
    """The database's size in bytes; of SQLite without its write-ahead log."""
    query = _PAGES if connection.dialect.name == "sqlite" else _SIZE
    return int(connection.execute(query).scalar_one())
