"""
Bringing a database to the tables of this release, from nothing or from any earlier release.

Several replicas may start at once: on PostgreSQL an advisory lock lets one of them do the work, on SQLite
the write lock does.
"""

import sqlite3
import time
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from ternary_license_server.database.engine import Database, DatabaseError
from ternary_license_server.database.private_file import close_to_others

_LOCK: Final = 0x7E52_A417
_TRIES: Final = 100


def migrate(database: Database, to: str = "head") -> None:
    """Create or upgrade the tables, all or nothing.

    Args:
        database: Which.
        to: The revision to stop at; by default this release's.
    Raises:
        DatabaseError: If the database cannot be used or is of a newer release.
    """
    if database.file is not None:
        close_to_others(database.file)
        _write_ahead(database)
    with database.write() as transaction:
        if not database.sqlite:
            transaction.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            # A key of millions of rows takes longer to build than any request may.
            transaction.execute(text("SET LOCAL statement_timeout = 0"))
        config = _config()
        config.attributes["connection"] = transaction.connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise DatabaseError(f"database {database}: made by a newer release ({error})") from None


def existing(database: Database) -> None:
    """Demand a database that a server of this release has made; nothing is created or changed.

    Raises:
        DatabaseError: If it is not there, is not a license server's, or is of another release.
    """
    if database.file is not None and not database.file.is_file():
        raise DatabaseError(
            f"database {database}: no such file; name the server's with --database or TERNARY_SERVER_DATABASE"
        )
    if not is_current(database):
        raise DatabaseError(
            f"database {database}: its tables are not those of this release; start 'ternary serve' once"
        )


def is_current(database: Database) -> bool:
    """Whether the tables are those of this release.

    Raises:
        DatabaseError: If the database cannot be used.
    """
    return revision(database) == ScriptDirectory.from_config(_config()).get_current_head()


def revision(database: Database) -> str | None:
    """Which release's tables a database has; None if it is not a license server's.

    Raises:
        DatabaseError: If the database cannot be used.
    """
    with database.read() as transaction:
        return MigrationContext.configure(transaction.connection).get_current_revision()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _write_ahead(database: Database) -> None:
    """Switch a SQLite file to write-ahead logging; another process that does so now makes us wait."""
    for _ in range(_TRIES):
        try:
            raw = database.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA journal_mode = WAL")
                return
            finally:
                raw.close()
        except (OperationalError, sqlite3.Error) as error:
            if "locked" not in str(error):
                raise DatabaseError(f"database {database}: cannot be opened ({_cause(error)})") from None
        time.sleep(0.1)
    raise DatabaseError(f"database {database}: another process keeps it locked")


def _cause(error: Exception) -> object:
    return getattr(error, "orig", None) or error
