"""
Licenses: what a signed token grants, and the one place that says yes or no to a call.

Reading proves who issued the license and that it still stands; checking asks, on every call, whether it
allows this action on this package on this machine at this moment. Both refuse with the first reason in
the precedence of ``Reason``. Nothing here opens a file or looks at a clock.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

from ternary_sdk._internal.clocks import TOLERANCE, lies_ahead
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID, PackageIdentity, PackageTerm, VersionRange, read_term
from ternary_sdk._internal.licensing import claims, own_claims
from ternary_sdk._internal.licensing.claims import ACTIONS, Action, ContentKey
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.trust.trust import Role, Trust
from ternary_sdk.errors import FormatError, InputError, LicenseError, Reason, SignatureError

__all__ = ["ACTIONS", "SOON", "TOLERANCE", "TYP", "Action", "License"]

TYP: Final = "ternary-license+jwt"
SOON: Final = timedelta(days=30)
"""How near an end is told unless the caller says otherwise."""

_GRANTING: Final = {"iss", "jti", "sub", "iat", "packages", "entitlements", "features", "content_keys"}
_LIMITING: Final = {
    "nbf",
    "exp",
    "grace",
    "machines",
    "cnf",
    "lease",
    "seats",
    "unique_operations",
    "agreed_operations",
    "released_until",
}


@dataclass(frozen=True, kw_only=True)
class License:
    """What one customer may do with which packages, until when."""

    id: str
    """The vendor's number for it, ``jti``."""
    vendor: str
    """Who issued it, ``iss``."""
    customer: str
    """Whom it was issued to, ``sub``."""
    kid: str
    """Name of the key that signed it."""
    issued: datetime
    """When it was signed."""
    not_before: datetime | None
    """Start, or None if it starts when issued."""
    expires: datetime | None
    """End, or None if it never ends."""
    grace_from: datetime | None
    """When its renewal is due: from then to its end it runs on grace. None if nothing renews it."""
    packages: tuple[PackageTerm, ...]
    """Exact packages and ranges of versions, at least one."""
    entitlements: frozenset[str]
    """Which of encode, decode and sample it allows, at least one."""
    machines: tuple[str, ...] | None
    """Ids of the machines it runs on, or None for any."""
    bound_to: str | None
    """The installation key it is bound to, or None for a bearer license: the file is the secret."""
    lease: str | None
    """The vendor's number for its seat: a revocation list may name it, and end this one machine's license."""
    seats: int | None
    """How many machines may hold it at once, as the license server counts them."""
    content_keys: tuple[ContentKey, ...]
    """What decrypts its encrypted packages."""
    unique_operations: int | None
    """How many different operations it may ever return, at least 1, those of all spaces added up; None for
    any number."""
    released_until: datetime | None = None
    """It covers packages that were released until then, by their signed date, and no later ones; None for
    any."""
    agreed_operations: int | None = None
    """The agreed quota: operations beyond it, up to ``unique_operations``, are overage. None without."""
    features: frozenset[str] = frozenset()
    """Entitlements of the vendor's own, names ``x-…``, that the vendor's program asks for."""
    claims: tuple[tuple[str, str], ...] = ()
    """The vendor's own claims, names ``x-…`` and values, ascending by name. They decide about no call."""

    @classmethod
    def read(cls, data: bytes, trust: Trust) -> "License":
        """Verify a license token:

        1. it is a well-formed token of the type ``ternary-license+jwt``;
        2. it is signed by a key of role ``license`` in the trusted key set;
        3. its claims have the right types, and none is one that this SDK does not enforce;
        4. its issuer is the trusted vendor and it was issued before the key set's end;
        5. the key that signed it is not revoked;
        6. neither the license nor the lease that it carries is revoked.

        Args:
            data: The license file; a byte order mark and white space around it do not count.
            trust: Whom to believe.
        Raises:
            LicenseError: MALFORMED, SIGNATURE_INVALID, KEY_REVOKED or REVOKED.
        """
        try:
            token = jws.read(
                _inner(data),
                typ=TYP,
                what="license",
                key_for=lambda kid: trust.candidate(kid, Role.LICENSE),
            )
            license = _read_claims(Fields(token.claims, "license"), token.kid, own_claims.read(token.claims))
        except FormatError as refusal:
            raise LicenseError(Reason.MALFORMED, str(refusal)) from None
        except SignatureError as refusal:
            raise LicenseError(Reason.SIGNATURE_INVALID, _prefixed(refusal)) from None
        license._check_standing(trust)
        return license

    def check(
        self,
        action: str,
        *,
        package: PackageIdentity,
        machine: Callable[[], str],
        installation: Callable[[], str | None] = lambda: None,
        now: datetime,
    ) -> None:
        """Allow one call, or refuse it. Takes microseconds; call it before every call.

        Args:
            action: What is about to be done: encode, decode, sample, or a feature of the vendor's own.
            package: What it is about to be done with.
            machine: Gives this machine's id; asked only where the license lists machines.
            installation: Gives the thumbprint of this user's installation key, or None where there is none;
                asked only where the license is bound to one.
            now: The present moment, timezone-aware.
        Raises:
            LicenseError: NOT_YET_VALID, EXPIRED, HEARTBEAT_DEAD, PACKAGE_MISMATCH, VERSION_MISMATCH,
                MACHINE_REQUIRED, MACHINE_MISMATCH or ENTITLEMENT_MISSING, the first that applies.
            InputError: If ``now`` has no time zone.
        """
        self._check_time(now)
        if not any(term.covers(package) for term in self.packages):
            self._refuse_package(package)
        self._check_release(package)
        if self.bound_to is not None or self.machines is not None:
            self._check_place(machine, installation)
        if not self.entitled(action):
            allowed = ", ".join([*sorted(self.entitlements), *sorted(self.features)])
            self._refuse(
                Reason.ENTITLEMENT_MISSING, f"allows {allowed}, not {action}; ask {self.vendor} to add it"
            )

    def entitled(self, name: str) -> bool:
        """Whether it names this action or feature; whether it holds here and now is another question.

        ``LicensedModel.expect_entitled`` asks both.

        Args:
            name: encode, decode, sample, or a feature of the vendor's own, ``x-…``.
        """
        return name in self.entitlements or name in self.features

    def in_grace(self, now: datetime) -> bool:
        """Whether its renewal is overdue: calls go on, and end at ``expires`` unless it is renewed.

        Raises:
            InputError: If ``now`` has no time zone.
        """
        _expect_zone(now)
        return self.grace_from is not None and now >= self.grace_from

    def ends_in(self, now: datetime) -> timedelta | None:
        """How long it lasts from now on, negative once it has ended; None if it never ends.

        Raises:
            InputError: If ``now`` has no time zone.
        """
        _expect_zone(now)
        return self.expires - now if self.expires is not None else None

    def ends_soon(self, now: datetime, within: timedelta = SOON) -> bool:
        """Whether somebody should act: its end is this near, or past.

        A license that a server renews again and again is always near its end. It ends soon from the moment
        on when its renewal is overdue, as ``in_grace``.

        Args:
            now: The present moment, timezone-aware.
            within: How near.
        Raises:
            InputError: If ``now`` has no time zone.
        """
        left = self.ends_in(now)
        return left is not None and (self.in_grace(now) if self.grace_from is not None else left <= within)

    def _check_standing(self, trust: Trust) -> None:
        if self.vendor != trust.vendor:
            self._refuse(
                Reason.SIGNATURE_INVALID,
                f"says it was issued by {self.vendor!r}, the trust file is of {trust.vendor!r}",
            )
        try:
            trust.key(self.kid, Role.LICENSE, self.issued)
        except SignatureError as refusal:
            revoked = self.kid in trust.revoked_keys
            code = Reason.KEY_REVOKED if revoked else Reason.SIGNATURE_INVALID
            advice = f"; ask {self.vendor} for a new license" if revoked else ""
            raise LicenseError(code, f"license {self.id}: {refusal}{advice}") from None
        if self.id in trust.revoked_licenses:
            self._refuse(Reason.REVOKED, f"was revoked by {self.vendor}; ask them for a new one")
        if self.lease in trust.revoked_licenses:
            self._refuse(
                Reason.REVOKED,
                f"was revoked by {self.vendor} for this machine, which they were told is lost; "
                "activate it again",
            )

    def _check_time(self, now: datetime) -> None:
        _expect_zone(now)
        starts = max(self.issued, self.not_before or self.issued)
        if lies_ahead(starts, of=now):
            self._refuse(
                Reason.NOT_YET_VALID,
                f"is valid from {_utc(starts)} (now {_utc(now)}); check this machine's clock",
            )
        if self.expires is None or now < self.expires + TOLERANCE:
            return
        if self.grace_from is not None:
            self._refuse(
                Reason.HEARTBEAT_DEAD,
                f"was not renewed since {_utc(self.issued)}, and its grace ended on {_utc(self.expires)} "
                f"(now {_utc(now)}); run 'ternary activate' again",
            )
        self._refuse(
            Reason.EXPIRED,
            f"expired on {_utc(self.expires)} (now {_utc(now)}); ask {self.vendor} to renew it",
        )

    def _refuse_package(self, package: PackageIdentity) -> NoReturn:
        ranges = [t for t in self.packages if isinstance(t, VersionRange) and t.name == package.name]
        code = Reason.VERSION_MISMATCH if ranges else Reason.PACKAGE_MISMATCH
        granted = " and ".join(str(term) for term in (ranges or self.packages)[:3])
        self._refuse(code, f"is for {granted}, not for {package}; open the package it was issued for")

    def _check_release(self, package: PackageIdentity) -> None:
        """Both dates are signed by the vendor, so no clock of the customer's has a part in this."""
        if self.released_until is None or (
            package.released is not None and package.released <= self.released_until
        ):
            return
        on = "without a known date" if package.released is None else f"on {_utc(package.released)}"
        self._refuse(
            Reason.VERSION_MISMATCH,
            f"is for packages released until {_utc(self.released_until)}, {package} was released {on}; "
            f"open an earlier version, or ask {self.vendor} to renew it",
        )

    def _check_place(self, machine: Callable[[], str], installation: Callable[[], str | None]) -> None:
        held = installation() if self.bound_to is not None else None
        again = f"ask {self.vendor} to issue it anew"
        if self.bound_to is not None and held is None:
            self._refuse(
                Reason.MACHINE_REQUIRED,
                f"is bound to installation key {self.bound_to}, this user has none; {again}",
            )
        found = machine() if self.machines is not None else None
        if held != self.bound_to:
            self._refuse(
                Reason.MACHINE_MISMATCH,
                f"is bound to installation key {self.bound_to}, this user's is {held}; {again}",
            )
        if self.machines is not None and found not in self.machines:
            self._refuse(
                Reason.MACHINE_MISMATCH,
                f"is for {_machines(self.machines)}, this machine is {found}; "
                f"send that id to {self.vendor} to have it added",
            )

    def _refuse(self, code: Reason, sentence: str) -> NoReturn:
        raise LicenseError(code, f"license {self.id} {sentence}")


def _expect_zone(now: datetime) -> None:
    if now.tzinfo is None:
        raise InputError(f"now: {now.isoformat()} has no time zone, expected UTC")


def _inner(data: bytes) -> bytes:
    """The token in a license file; a file of another kind is left for the token's reader to refuse."""
    inner = outer.stripped(data)
    return outer.bare(data, "license", outer.TOKEN) if inner.count(b".") == 2 else inner


def _read_claims(fields: Fields, kid: str, own: tuple[tuple[str, str], ...]) -> License:
    for name in fields.optional("critical", lambda name: fields.texts(name, most=32, least=1)) or ():
        if name not in _GRANTING | _LIMITING:
            raise FormatError(f"license.critical: {name[:60]!r} is no claim that this SDK understands")
    packages = fields.items("packages", read_term, least=1, most=claims.MAX_PACKAGES)
    machines, bound_to = claims.machines(fields), claims.bound_to(fields)
    issued, expires = fields.moment("iat"), fields.optional("exp", fields.moment)
    license = License(
        id=fields.text("jti", pattern=LICENSE_ID),
        vendor=fields.line("iss"),
        customer=fields.line("sub"),
        kid=kid,
        issued=issued,
        not_before=fields.optional("nbf", fields.moment),
        expires=expires,
        grace_from=claims.grace(fields, bound=bound_to is not None, issued=issued, expires=expires),
        packages=packages,
        entitlements=claims.entitlements(fields),
        machines=machines,
        bound_to=bound_to,
        lease=fields.optional("lease", lambda name: fields.text(name, pattern=LICENSE_ID)),
        seats=claims.seats(fields, limited=bool(machines or bound_to)),
        content_keys=claims.content_keys(fields, packages, bound=bound_to is not None),
        unique_operations=fields.optional("unique_operations", lambda name: fields.integer(name, least=1)),
        released_until=fields.optional("released_until", fields.moment),
        agreed_operations=fields.optional("agreed_operations", lambda name: fields.integer(name, least=1)),
        features=claims.features(fields),
        claims=own,
    )
    if license.expires is not None and license.expires <= (license.not_before or license.issued):
        raise FormatError("license.exp: not after the license's start")
    if license.agreed_operations is not None and (
        license.unique_operations is None or license.agreed_operations >= license.unique_operations
    ):
        raise FormatError("license.agreed_operations: not below 'unique_operations'")
    return license


def _machines(ids: tuple[str, ...]) -> str:
    return f"machine {ids[0]}" if len(ids) == 1 else f"{len(ids)} other machines"


def _prefixed(refusal: SignatureError) -> str:
    return text if (text := str(refusal)).startswith("license") else f"license: {text}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
