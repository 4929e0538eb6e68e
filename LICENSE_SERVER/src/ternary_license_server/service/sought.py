"""
Which licenses somebody looks for: by customer, state, end, license key, or a machine that has or had a seat.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from ternary_license_server.database.schema import leases, licenses
from ternary_license_server.service.groups import of_group


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Conditions that a license must meet, all of them; None leaves one out."""

    customer: str | None = None
    """The id of its customer; licenses of those that were merged into it count."""
    state: str | None = None
    """``active``, ``suspended`` or ``revoked``."""
    ends_from: int | None = None
    """It has not ended before this moment, in seconds since 1970-01-01 UTC."""
    ends_before: int | None = None
    """It ends before this moment; one without an end never does."""
    key_digest: str | None = None
    """What the server keeps of its key, 64 hex digits."""
    holder: str | None = None
    """A machine's id, an installation's thumbprint or a seat's number, of now or of before."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """The same for a query of the licenses."""
        row, found = licenses.c, list[ColumnElement[bool]]()
        for column, wanted in (
            (row.state, self.state),
            (row.key_hash, self.key_digest),
        ):
            if wanted is not None:
                found.append(column == wanted)
        if self.customer is not None:
            found.append(of_group(row.customer, self.customer))
        if self.ends_from is not None:
            found.append(or_(row.expires.is_(None), row.expires >= self.ends_from))
        if self.ends_before is not None:
            found.append(row.expires < self.ends_before)
        if self.holder is not None:
            held = or_(
                leases.c.machine == self.holder,
                leases.c.installation == self.holder,
                leases.c.seat == self.holder,
            )
            found.append(row.id.in_(select(leases.c.license).where(held)))
        return found


EVERY = Sought()
"""Every license."""
