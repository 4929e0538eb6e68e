"""
A license as the server knows it, and whether it stands at a moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, select

from ternary_license_server.database.schema import audit as audit_rows
from ternary_license_server.database.schema import customers, licenses
from ternary_license_server.database.transaction import LockQuery, Transaction, locking
from ternary_license_server.service import terms
from ternary_license_server.service.sought import EVERY, Sought
from ternary_license_server.service.terms import Terms
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.licensing.license import TOLERANCE
from ternary_sdk.errors import LicenseError, Reason


class State(StrEnum):
    """What the vendor has decided about a license."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


_HIDDEN: Final = ("placed", "priced", "billed_from")
_COLUMNS: Final = select(licenses, customers.c.name.label("customer_name")).join(
    customers, customers.c.id == licenses.c.customer
)
_BY_ID: Final = _COLUMNS.where(licenses.c.id == bindparam("license"))
_LAST_ENTRY: Final = (
    select(audit_rows.c.at)
    .where(audit_rows.c.stream == licenses.c.id)
    .order_by(audit_rows.c.number.desc())
    .limit(1)
    .scalar_subquery()
)
_READ_LOCKED: Final = _BY_ID.add_columns(_LAST_ENTRY.label("last_entry"))
_READ_LOCKED_BY_KEY: Final = _COLUMNS.add_columns(_LAST_ENTRY.label("last_entry")).where(
    licenses.c.key_hash == bindparam("key_hash")
)
_LOCK_BY_ID: Final = locking(licenses, licenses.c.id, where=licenses.c.id == bindparam("license"))
_LOCK_BY_KEY: Final = locking(licenses, licenses.c.id, where=licenses.c.key_hash == bindparam("key_hash"))


@dataclass(frozen=True, kw_only=True)
class LicenseRecord(Terms):
    """One row of the licenses, with its customer's name."""

    id: str
    customer: str
    customer_name: str
    licensee: str | None
    """The name that its tokens carry; None for its customer's present name."""
    policy: str
    state: State
    starts: datetime
    expires: datetime | None
    created: datetime
    placed: datetime
    """When it came under its policy."""
    priced: datetime | None
    """Since when it is under prices; None if its policy had none then."""
    billed_from: datetime | None
    """Operations that were received earlier are not billed; None if its policy had no prices then."""
    own_terms: tuple[str, ...] = ()
    """Names of terms that were agreed for this license alone."""
    order_number: str | None = None
    """The vendor's or the customer's number of the order."""
    notes: str | None = None
    """What the vendor wants to remember."""
    claims: Mapping[str, str] = field(default_factory=dict)
    """The vendor's own claims, which its tokens carry."""

    @property
    def named(self) -> str:
        """The name that its tokens carry."""
        return self.licensee or self.customer_name

    def check(self, now: datetime) -> None:
        """Refuse a license that does not stand.

        Raises:
            LicenseError: REVOKED, SUSPENDED, NOT_YET_VALID or EXPIRED, the first that applies.
        """
        check(self.id, self.state, self.starts, None if self.perpetual else self.expires, now)

    def columns(self) -> dict[str, Json]:
        """The license as a row, all but its key."""
        return self.term_columns() | {
            "id": self.id,
            "customer": self.customer,
            "policy": self.policy,
            "state": str(self.state),
            "starts": seconds(self.starts),
            "expires": seconds(self.expires) if self.expires else None,
            "licensee": self.licensee,
            "own_terms": ",".join(self.own_terms) or None,
            "order_number": self.order_number,
            "notes": self.notes,
            "claims": canonical.encode(dict(self.claims)).decode() if self.claims else None,
            "placed": seconds(self.placed),
            "priced": seconds(self.priced) if self.priced else None,
            "billed_from": seconds(self.billed_from) if self.billed_from else None,
            "created": seconds(self.created),
        }

    def facts(self) -> dict[str, Json]:
        """The license as JSON, moments in seconds since 1970-01-01 UTC, durations in seconds."""
        lists: dict[str, Json] = {
            "entitlements": list(self.entitlements),
            "own_terms": list(self.own_terms),
            "claims": dict[str, Json](self.claims),
        }
        shown = {name: value for name, value in self.columns().items() if name not in _HIDDEN}
        named: dict[str, Json] = {"customer_name": self.customer_name, "licensee": self.named}
        return shown | named | lists


def check(license_id: str, state: State, starts: datetime, expires: datetime | None, now: datetime) -> None:
    """Refuse a license that does not stand. One starts five minutes early, here as with clients: the clock of
    whoever issued it may be that much ahead. A perpetual one has no end here.

    Raises:
        LicenseError: REVOKED, SUSPENDED, NOT_YET_VALID or EXPIRED, the first that applies.
    """
    if state is State.REVOKED:
        raise LicenseError(Reason.REVOKED, f"license {license_id} was revoked; ask the vendor for a new one")
    if state is State.SUSPENDED:
        raise LicenseError(Reason.SUSPENDED, f"license {license_id} is suspended; ask the vendor")
    if now < starts - TOLERANCE:
        raise LicenseError(Reason.NOT_YET_VALID, f"license {license_id} is valid from {utc(starts)}")
    if expires is not None and now >= expires:
        raise LicenseError(
            Reason.EXPIRED,
            f"license {license_id} expired on {utc(expires)}; ask the vendor to renew it",
        )


def lock(transaction: Transaction, license_id: str) -> LicenseRecord:
    """Read a license and keep every other writer of it waiting until this transaction ends.

    The transaction decides at a moment after the wait, and not before the last entry about the license: what
    another replica has seen has happened, whatever its clock was.

    Raises:
        LicenseError: NOT_FOUND.
    """
    asked = {"license": license_id}
    if transaction.alone:
        return _decided(transaction, _READ_LOCKED, asked, f"license {license_id}")
    return _locked(transaction, _LOCK_BY_ID, asked, f"license {license_id}")


def lock_by_key(transaction: Transaction, key_digest: str) -> LicenseRecord:
    """As ``lock``, by the digest of the license key.

    Raises:
        LicenseError: NOT_FOUND.
    """
    asked = {"key_hash": key_digest}
    if transaction.alone:
        return _decided(transaction, _READ_LOCKED_BY_KEY, asked, "license key")
    return _locked(transaction, _LOCK_BY_KEY, asked, "license key")


def find(transaction: Transaction, license_id: str) -> LicenseRecord:
    """Read a license without locking it.

    Raises:
        LicenseError: NOT_FOUND.
    """
    row = transaction.execute(_BY_ID, {"license": license_id}).one_or_none()
    if row is None:
        raise unknown(f"license {license_id}")
    return _record(row)


def page(transaction: Transaction, *, after: str, limit: int, sought: Sought = EVERY) -> list[LicenseRecord]:
    """Licenses that meet conditions, in the order of their ids, after one id."""
    query = _COLUMNS.where(licenses.c.id > after, *sought.conditions()).order_by(licenses.c.id).limit(limit)
    return [_record(row) for row in transaction.execute(query)]


def ending_first(transaction: Transaction, sought: Sought, limit: int) -> list[LicenseRecord]:
    """Licenses that meet conditions, those that end first before others."""
    query = _COLUMNS.where(*sought.conditions()).order_by(licenses.c.expires, licenses.c.id).limit(limit)
    return [_record(row) for row in transaction.execute(query)]


def seconds(moment: datetime) -> int:
    """A moment as the database and JSON have it: whole seconds since 1970-01-01 UTC, rounded down."""
    return int(moment.timestamp())


def moment(number: int) -> datetime:
    """Inverse of ``seconds``."""
    return datetime.fromtimestamp(number, UTC)


def utc(when: datetime) -> str:
    """A moment for people."""
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def _locked(transaction: Transaction, query: LockQuery, values: dict[str, str], what: str) -> LicenseRecord:
    """Lock the row first and read it then, in a statement that sees what was committed during the wait."""
    row = transaction.lock(query, values)
    if row is None:
        raise unknown(what)
    return _decided(transaction, _READ_LOCKED, {"license": row.id}, what)


def _decided(
    transaction: Transaction, query: Select[Any], values: dict[str, str], what: str
) -> LicenseRecord:
    """Read what is locked; the transaction decides no earlier than its last entry."""
    found = transaction.execute(query, values).one_or_none()
    if found is None:
        raise unknown(what)
    if found.last_entry is not None:
        transaction.not_before(moment(found.last_entry))
    return _record(found)


def unknown(what: str) -> LicenseError:
    """The refusal of who asks about what is not here, or is no business of theirs."""
    return LicenseError(Reason.NOT_FOUND, f"{what}: this server knows no such license")


def _claims(text: str | None) -> dict[str, str]:
    found = {} if text is None else canonical.decode(text.encode(), "claims")
    return {name: str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _record(row: Row[tuple[object, ...]]) -> LicenseRecord:
    values = row._mapping
    return LicenseRecord(
        id=values["id"],
        customer=values["customer"],
        customer_name=values["customer_name"],
        licensee=values["licensee"],
        policy=values["policy"],
        state=State(values["state"]),
        starts=moment(values["starts"]),
        expires=None if values["expires"] is None else moment(values["expires"]),
        created=moment(values["created"]),
        placed=moment(values["placed"] if values["placed"] is not None else values["created"]),
        priced=None if values["priced"] is None else moment(values["priced"]),
        billed_from=None if values["billed_from"] is None else moment(values["billed_from"]),
        own_terms=tuple(values["own_terms"].split(",")) if values["own_terms"] else (),
        order_number=values["order_number"],
        notes=values["notes"],
        claims=_claims(values["claims"]),
        **terms.read(values),
    )
