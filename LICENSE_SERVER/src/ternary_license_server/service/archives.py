"""
Archives of the audit log: files of rows that the database needs no more, sealed by the vendor's answer key.

An archive is text, one line of canonical JSON each: what it is, its rows in the order of their chains, and a
signed seal over all bytes before it. Each row has the hash of the row before it in its chain. The seal names
the archive before, so an archive that is missing or exchanged is noticed where several are given in order.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

from ternary_license_server.service import answer_signed, erasure
from ternary_license_server.service.audit import ERASED, Entry
from ternary_license_server.service.checkpoints import SHA256
from ternary_license_server.service.records import seconds
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, InputError

FORMAT: Final = "ternary-audit-archive/1"
TYP: Final = "ternary-audit-archive+jws"
LONGEST: Final = 1 << 20
"""Most bytes of a line."""
_MEMBERS: Final = ("stream", "number", "at", "actor", "action", "detail", "previous", "hash")


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What the last line of an archive states."""

    vendor: str
    """Whose server wrote it."""
    number: int
    """Its place among the archives of its database, from 1."""
    at: datetime
    """When it was written, by the server's clock."""
    rows: int
    """How many rows it has."""
    sha256: str
    """Of all bytes before the last line."""
    previous: str | None
    """The same of the archive before it; None of the first."""

    def claims(self) -> dict[str, Json]:
        """The same, as it is signed."""
        return {
            "iss": self.vendor,
            "iat": seconds(self.at),
            "number": self.number,
            "rows": self.rows,
            "sha256": self.sha256,
            "previous": self.previous,
        }


@dataclass(frozen=True)
class Erasures:
    """Erased rows of archives that no later row has stated so far.

    A row that is stated in no archive must be stated by the log in the database, or its detail was removed by
    somebody who has the vendor's key.
    """

    unstated: dict[tuple[str, int], str] = field(default_factory=dict)
    """By stream and number: the hash of what is left of the row."""

    def follow(self, entry: Entry, where: str) -> None:
        """Take in the next row, of which messages say ``where`` it is.

        Raises:
            FormatError: If it states another rest of a row than the one that is here.
        """
        if entry.detail == ERASED and entry.expected_hash() != entry.hash:
            self.unstated[entry.stream, entry.number] = entry.remains()
        for number, remains in erasure.stated(entry).items():
            row = (entry.stream, int(number) if number.isdecimal() else 0)
            if self.unstated.pop(row, remains) != remains:
                raise FormatError(f"{where}: row {number} of {entry.stream} was edited after it was erased")


def head_line(vendor: str, number: int) -> bytes:
    """An archive's first line."""
    return canonical.encode({"format": FORMAT, "number": number, "vendor": vendor}) + b"\n"


def row_line(entry: Entry) -> bytes:
    """The line of a row."""
    return canonical.encode([getattr(entry, name) for name in _MEMBERS]) + b"\n"


def seal_line(token: bytes) -> bytes:
    """An archive's last line."""
    return canonical.encode({"seal": token.decode()}) + b"\n"


def verify(file: Path, trust: Trust, before: Seal | None = None, erasures: Erasures | None = None) -> Seal:
    """Verify an archive, in memory that does not grow with it:

    1. its first line states this format;
    2. each row has the hash of its content, and follows the row before it; of an erased row, a later one may
       state the hash of what is left (``erasures``);
    3. its last line is a seal, signed by a key of role ``answer`` that the trusted vendor had then;
    4. the seal is of these bytes and as many rows;
    5. it follows the archive before it, if that one is given.

    Raises:
        InputError: If the file cannot be read.
        FormatError: Steps 1, 2, 4 and 5.
        SignatureError: Step 3.
    """
    try:
        with file.open("rb") as opened:
            seal = _verify(opened, file.name, trust, Erasures() if erasures is None else erasures)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    if before is not None and (seal.number, seal.previous) != (before.number + 1, before.sha256):
        raise FormatError(
            f"{file.name}: archive {seal.number} does not follow archive {before.number}; one between is "
            "missing, or one of the two is of another database"
        )
    return seal


def _verify(opened: BinaryIO, name: str, trust: Trust, erasures: Erasures) -> Seal:
    running, number, lines = hashlib.sha256(), 0, _lines(opened, name)
    first = next(lines, b"")
    head = Fields(canonical.decode(first.rstrip(b"\n"), f"{name}, line 1"), f"{name}, line 1")
    head.exactly("format", FORMAT)
    place, vendor = head.integer("number", least=1), head.text("vendor")
    head.end()
    running.update(first)
    last: Entry | None = None
    for number, line in enumerate(lines):
        if line.startswith(b"{"):
            seal = _seal(line, f"{name}, line {number + 2}", trust)
            _check_sealed(name, seal, (place, vendor, number, running.hexdigest()))
            if next(lines, None) is not None:
                raise FormatError(f"{name}: goes on after its seal")
            return seal
        last = _row(line, f"{name}, line {number + 2}", last)
        erasures.follow(last, f"{name}, line {number + 2}")
        running.update(line)
    raise FormatError(f"{name}: ends without a seal, after {number + 1} rows: it was cut off")


def _lines(opened: BinaryIO, name: str) -> Iterator[bytes]:
    number = 0
    while line := opened.readline(LONGEST + 1):
        number += 1
        if not line.endswith(b"\n"):
            why = "it was cut off" if len(line) <= LONGEST else f"longer than {LONGEST} bytes"
            raise FormatError(f"{name}, line {number}: has no end: {why}")
        yield line


def _row(line: bytes, name: str, last: Entry | None) -> Entry:
    values = canonical.decode(line.rstrip(b"\n"), name)
    types = (str, int, int, str, str, str, str, str)
    if not isinstance(values, list) or [type(value) for value in values] != list(types):
        raise FormatError(f"{name}: expected a list of {', '.join(_MEMBERS)}")
    entry = Entry(**dict(zip(_MEMBERS, values, strict=True)))  # type: ignore[arg-type]
    if entry.expected_hash() != entry.hash and entry.detail != ERASED:
        raise FormatError(f"{name}: row {entry.number} of {entry.stream} was edited")
    same = last is not None and last.stream == entry.stream
    if same and last is not None and (last.number + 1, last.hash) != (entry.number, entry.previous):
        raise FormatError(f"{name}: row {entry.number} of {entry.stream} does not follow row {last.number}")
    return entry


def _seal(line: bytes, name: str, trust: Trust) -> Seal:
    outside = Fields(canonical.decode(line.rstrip(b"\n"), name), name)
    token = outside.text("seal", longest=4096).encode()
    outside.end()
    return answer_signed.read(token, trust, typ=TYP, what="archive's seal", stated=_stated)


def _stated(fields: Fields) -> Seal:
    return Seal(
        vendor=fields.text("iss"),
        at=fields.moment("iat"),
        number=fields.integer("number", least=1),
        rows=fields.integer("rows"),
        sha256=fields.sha256("sha256"),
        previous=fields.text_or_null("previous", pattern=SHA256),
    )


def _check_sealed(name: str, seal: Seal, found: tuple[int, str, int, str]) -> None:
    stated = (seal.number, seal.vendor, seal.rows, seal.sha256)
    if stated != found:
        raise FormatError(
            f"{name}: its seal is of archive {seal.number}, {seal.rows} rows, sha256 {seal.sha256[:12]}…; "
            f"this is archive {found[0]}, {found[2]} rows, sha256 {found[3][:12]}…; it was changed"
        )


def chain(files: Iterable[Path], trust: Trust, erasures: Erasures | None = None) -> Iterator[Seal]:
    """Verify archives in order, each as the one after the one before.

    Args:
        files: The archives.
        trust: Whom to believe.
        erasures: Has the erased rows that none of them states, once all were verified.
    """
    before = None
    erasures = Erasures() if erasures is None else erasures
    for file in files:
        before = verify(file, trust, before, erasures)
        yield before
