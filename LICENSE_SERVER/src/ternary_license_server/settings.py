"""
What a server is told from outside: environment variables, all checked before anything starts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from ternary_license_server.addresses import Proxies
from ternary_license_server.destinations import Destinations
from ternary_license_server.service_links import is_service_link
from ternary_sdk.errors import InputError

PREFIX: Final = "TERNARY_SERVER_"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One server's configuration. Each field is the variable of its name in capitals, with the prefix."""

    keys: Path
    """Directory of the vendor's keys; required."""
    database: str = field(default="sqlite:///ternary-server.sqlite3", repr=False)
    """``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8750
    """Port to listen on, 0 to 65535; 0 takes a free one."""
    workers: int = 1
    """Processes that answer at this address, 1 to 64; they share the database, nothing else."""
    proxies: Proxies = field(default_factory=Proxies)
    """Addresses and networks of proxies whose ``X-Forwarded-For`` is believed, with commas; none if empty."""
    connections: int = 20
    """Most database connections of each process, 1 to 200."""
    request_timeout: int = 20
    """Seconds that a request may take, 4 to 600; waits for the database are shares of it. What reads or
    writes very much may take 15 times as long."""
    body_limit: int = 65_536
    """Largest request body in bytes, 8192 to 1048576; usage reports and trust files may be larger."""
    body_timeout: int = 10
    """Seconds a client may take to send its request, 1 to 300."""
    rate: int = 600
    """Requests a minute from one address to each process, 1 to 1000000; as many at once after a rest."""
    key_rate: int = 60
    """Requests a minute for one license key, and of one installation about one license (standing, usage, and
    renewal with release counted apart) to each process, 1 to 1000000."""
    remember: int = 31
    """Days for which an answer is given again to a request that is repeated, 31 to 3650."""
    audit_keep: int = 0
    """Days for which rows of the audit log stay in the database, 31 to 36500; 0 keeps them all."""
    audit_archive: str = ""
    """Folder into which 'ternary server audit archive' moves older rows; none if empty."""
    downtime: int = 72
    """Hours for which the server may have been down and start without an operator, 1 to 8760."""
    webhook_networks: Destinations = field(default_factory=Destinations)
    """Addresses and networks, beside public ones, to which webhooks may go, with commas; none if empty."""
    webhook_attempts: int = 20
    """How often an event is sent to a webhook that does not take it, 1 to 100; then it is dead."""
    webhook_age: int = 72
    """Hours after which a failing event is dead whatever the number of attempts, 1 to 720."""
    webhook_retention: int = 30
    """Days for which events are kept that every webhook took, 1 to 3650."""
    stop_timeout: int = 15
    """Seconds that running requests get when the server is stopped, 0 to 300."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables; those of a platform's services, which only look like ours, are passed over.

        Raises:
            InputError: If any is wrong, missing or unknown; one sentence names every mistake.
        """
        mistakes: list[str] = []
        given = {
            name.removeprefix(PREFIX).lower(): text
            for name, text in environment.items()
            if name.startswith(PREFIX) and not is_service_link(name.removeprefix(PREFIX), text)
        }
        values: dict[str, object] = {}
        for name, text in sorted(given.items()):
            if name in _CLIENT:
                continue
            if name not in _READERS:
                mistakes.append(f"{PREFIX}{name.upper()}: no such setting")
                continue
            try:
                values[name] = _READERS[name](text)
            except InputError as refusal:
                mistakes.append(f"{PREFIX}{name.upper()}: {refusal}")
        if "keys" not in given:
            mistakes.append(f"{PREFIX}KEYS: missing; set it to what 'ternary keys init' made")
        if mistakes:
            raise InputError("; ".join(mistakes))
        return cls(**values)  # type: ignore[arg-type]

    def environment(self) -> dict[str, str]:
        """The variables that say the same, for the processes of one server."""
        return {f"{PREFIX}{field.name.upper()}": str(getattr(self, field.name)) for field in fields(self)}


def read_database(environment: Mapping[str, str]) -> str:
    """The database's address alone, for what works on it without serving.

    Raises:
        InputError: If it names no database.
    """
    given = environment.get(f"{PREFIX}DATABASE")
    if given is None:
        return next(str(field.default) for field in fields(Settings) if field.name == "database")
    try:
        return _database(given)
    except InputError as refusal:
        raise InputError(f"{PREFIX}DATABASE: {refusal}") from None


def read_archiving(environment: Mapping[str, str]) -> tuple[str, int]:
    """The folder of archives and how many days rows are kept, for the command that archives.

    Raises:
        InputError: If either is wrong.
    """
    found: list[object] = []
    for name in ("audit_archive", "audit_keep"):
        named = f"{PREFIX}{name.upper()}"
        try:
            found.append(_READERS[name](environment.get(named, "0" if name == "audit_keep" else "")))
        except InputError as refusal:
            raise InputError(f"{named}: {refusal}") from None
    return str(found[0]), int(str(found[1]))


def _number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            raise InputError(f"{text[:40]!r}, expected a number from {least} to {most}")
        return int(text)

    return read


def _days_kept(text: str) -> int:
    return 0 if text == "0" else _number(31, 36_500)(text)


def _folder(text: str) -> str:
    return text and str(_directory(text))


def _database(text: str) -> str:
    from ternary_license_server.database.engine import parse_url

    parse_url(text)
    return text


def _directory(text: str) -> Path:
    if not (path := Path(text)).is_dir():
        raise InputError(f"{text[:200]!r} is no directory")
    return path


def _host(text: str) -> str:
    if not text or any(character.isspace() for character in text):
        raise InputError(f"{text[:40]!r}, expected an address such as 127.0.0.1")
    return text


_CLIENT: Final = ("token", "url")
"""Variables of the same prefix that 'ternary server' commands read."""
_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "keys": _directory,
    "database": _database,
    "host": _host,
    "port": _number(0, 65_535),
    "workers": _number(1, 64),
    "proxies": Proxies.read,
    "connections": _number(1, 200),
    "request_timeout": _number(4, 600),
    "body_limit": _number(8192, 1 << 20),
    "body_timeout": _number(1, 300),
    "rate": _number(1, 1_000_000),
    "key_rate": _number(1, 1_000_000),
    "remember": _number(31, 3650),
    "audit_keep": _days_kept,
    "audit_archive": _folder,
    "downtime": _number(1, 8760),
    "webhook_networks": Destinations.read,
    "webhook_attempts": _number(1, 100),
    "webhook_age": _number(1, 720),
    "webhook_retention": _number(1, 3650),
    "stop_timeout": _number(0, 300),
}
