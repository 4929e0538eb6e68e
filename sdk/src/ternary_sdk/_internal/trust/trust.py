"""
Whom a client believes: the pinned root key, the key set it signed, and what has been revoked.

A trust file is passed in by the embedding program or pinned by ``ternary use``; it never comes from the
environment. Roles are fixed here: a key signs one kind of document, and a verifier asks for that role.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError

FORMAT: Final = "ternary-trust/1"
KEY_SET: Final = "ternary-keys+jwt"
REVOCATIONS: Final = "ternary-revocations+jwt"
MAX_TRUST: Final = 12 << 20
MAX_KEYS: Final = 1000
MAX_REVOKED: Final = 100_000
MAX_LIST: Final = 10 << 20
"""Longest revocation list, in bytes: room for as many names of 64 characters."""


class Role(StrEnum):
    """What a vendor key may sign."""

    ROOT = "root"
    """Key sets, and nothing else."""
    PACKAGE = "package"
    """Packages and certificates."""
    LICENSE = "license"
    """Licenses and revocation lists."""
    ANSWER = "answer"
    """Answers of a license server."""


_AGAIN: Final[Mapping[Role, str]] = {
    Role.PACKAGE: "; get it again from {}, signed by another key",
    Role.ANSWER: "; tell {}: its license server must sign with its new key",
}
"""What to do about a document under a revoked key; a license says it itself."""


@dataclass(frozen=True, kw_only=True)
class Revocations:
    """Licenses that the vendor has withdrawn."""

    version: int
    """Counts up from 1; a client never goes back."""
    issued: datetime
    """When the list was signed."""
    licenses: frozenset[str]
    """Ids of the withdrawn licenses."""


@dataclass(frozen=True, kw_only=True)
class Trust:
    """A vendor's root key and what it vouches for."""

    vendor: str
    """The vendor's name, as every token's ``iss`` must repeat it."""
    root: PublicKey
    """The pinned key; its kid is the thumbprint that people compare."""
    version: int
    """The key set's version, from 1."""
    issued: datetime
    """When the key set was signed."""
    expires: datetime | None
    """End of the key set: what was issued later is refused, what was issued earlier stays valid."""
    revoked_keys: Mapping[str, datetime]
    """Moment of revocation by kid. Nothing such a key signed is valid: a thief can write any date."""
    revocations: Revocations | None
    """The list of withdrawn licenses, where there is one."""
    keys: Mapping[str, tuple[Role, PublicKey]] = field(repr=False)
    """Every key of the set by kid, retired and revoked ones included."""
    data: bytes = field(repr=False)
    """The trust file itself, without what stood around it."""

    @classmethod
    def read(cls, data: bytes) -> "Trust":
        """Read a trust file:

        1. canonical JSON of the format ``ternary-trust/1``, at most 12 MiB; a byte order mark and white space
           around it do not count;
        2. the key set is signed by the root key in the file;
        3. each key's kid is its thumbprint, none appears twice, none is the root's;
        4. every revoked kid is in the set;
        5. the revocation list, where there is one, is of the same vendor and signed by a key of role
           ``license`` that is not revoked, before the key set's end.

        That the root is the right one is not the file's to prove: compare ``root.kid``.

        Raises:
            FormatError: If the file or a token in it is malformed.
            SignatureError: If a signature is wrong or by a key that may not sign this.
        """
        if len(data) > MAX_TRUST:
            raise FormatError(f"trust file: {len(data)} bytes, expected at most {MAX_TRUST}")
        data = outer.bare(data, "trust file")
        fields = Fields(canonical.decode(data, "trust file"), "trust file")
        fields.exactly("format", FORMAT)
        root = PublicKey.from_jwk(fields.object("root"))
        trust = _read_key_set(fields.text("keys", longest=jws.MAX_TOKEN).encode(), root, data)
        token = fields.optional("revocations", lambda name: fields.text(name, longest=MAX_LIST))
        fields.end()
        if token is None:
            return trust
        listed = _read_revocations(token.encode(), trust)
        return replace(trust, revocations=listed)

    @property
    def revoked_licenses(self) -> frozenset[str]:
        """Ids of the licenses that the vendor has withdrawn."""
        return self.revocations.licenses if self.revocations else frozenset()

    def newest(self, role: Role) -> str | None:
        """Thumbprint of the key that signs for a role now: a rotation adds its key at the key set's end."""
        if role is Role.ROOT:
            return self.root.kid
        kids = [kid for kid, (of, _) in self.keys.items() if of is role]
        return kids[-1] if kids else None

    @property
    def update_advice(self) -> str:
        """What a customer does whose trust file may be older than the vendor's newest key."""
        return (
            f"if {self.vendor} has changed its keys, get its newest trust file and run "
            "'ternary trust update FILE'"
        )

    def key(self, kid: str, role: Role, issued: datetime) -> PublicKey:
        """The key of that name, if it may vouch for a document of that role and date.

        Args:
            kid: The key's name, as the document gives it.
            role: What the caller needs; never taken from the document.
            issued: When the document says it was made, timezone-aware.
        Raises:
            SignatureError: If no such key is in the set, it has another role or is revoked, or the
                document was issued after the key set's end.
        """
        key = self.candidate(kid, role)
        if kid in self.revoked_keys:
            raise SignatureError(
                f"key {kid} was revoked by {self.vendor} on {self.revoked_keys[kid]:%Y-%m-%d}; "
                f"nothing it signed is valid{_AGAIN.get(role, '').format(self.vendor)}"
            )
        if self.expires is not None and issued > self.expires:
            raise SignatureError(
                f"issued on {issued:%Y-%m-%d}, after the key set of {self.vendor} ended on "
                f"{self.expires:%Y-%m-%d}; get the vendor's newer trust file and run "
                "'ternary trust update FILE'"
            )
        return key

    def candidate(self, kid: str, role: Role) -> PublicKey:
        """The key of that name and role, to check a signature with before the document is parsed.

        It may be revoked and says nothing of dates: what verifies under it must still pass ``key``.

        Raises:
            SignatureError: If no such key is in the set or it has another role.
        """
        if kid not in self.keys:
            raise SignatureError(
                f"key {kid} is not in the key set of {self.vendor} (version {self.version}); "
                f"{self.update_advice}"
            )
        held, key = self.keys[kid]
        if held is not role:
            raise SignatureError(f"key {kid} has role {held}, expected {role}")
        return key


def _read_key_set(token: bytes, root: PublicKey, data: bytes) -> Trust:
    def root_only(kid: str) -> PublicKey:
        if kid != root.kid:
            raise SignatureError(f"key set: signed by key {kid}, expected the root {root.kid}")
        return root

    claims = jws.read(token, typ=KEY_SET, what="key set", key_for=root_only).claims
    fields = Fields(claims, "key set")
    vendor = fields.line("iss")
    version, issued = fields.integer("version", least=1), fields.moment("iat")
    expires = fields.optional("exp", fields.moment)
    keys = fields.items("keys", _read_key, most=MAX_KEYS)
    revoked = fields.items("revoked", _read_revoked, most=MAX_KEYS)
    fields.end()
    by_kid = {key.kid: (role, key) for role, key in keys}
    if len(by_kid) != len(keys) or root.kid in by_kid:
        raise FormatError("key set: a key appears twice; each key has one role")
    revoked_keys = dict(revoked)
    if len(revoked_keys) != len(revoked) or not revoked_keys.keys() <= by_kid.keys():
        raise FormatError("key set.revoked: an entry is repeated or names a key that is not in the set")
    return Trust(
        vendor=vendor,
        root=root,
        version=version,
        issued=issued,
        expires=expires,
        keys=by_kid,
        revoked_keys=revoked_keys,
        revocations=None,
        data=data,
    )


def _read_key(fields: Fields) -> tuple[Role, PublicKey]:
    role = fields.text("role")
    if role not in (Role.PACKAGE, Role.LICENSE, Role.ANSWER):
        raise fields.wrong("role", role, "package, license or answer")
    kid = fields.text("kid", pattern=jws.KID)
    key = PublicKey.from_jwk(fields.object("key"))
    if key.kid != kid:
        raise FormatError(f"{fields.path}.kid: {kid}, the key's thumbprint is {key.kid}")
    fields.end()
    return Role(role), key


def _read_revoked(fields: Fields) -> tuple[str, datetime]:
    entry = fields.text("kid", pattern=jws.KID), fields.moment("at")
    fields.end()
    return entry


def _read_revocations(token: bytes, trust: Trust) -> Revocations:
    what = "revocation list"
    read = jws.read(
        token,
        typ=REVOCATIONS,
        what=what,
        key_for=lambda kid: trust.candidate(kid, Role.LICENSE),
        longest=MAX_LIST,
    )
    fields = Fields(read.claims, what)
    fields.exactly("iss", trust.vendor)
    listed = Revocations(
        version=fields.integer("version", least=1),
        issued=fields.moment("iat"),
        licenses=frozenset(fields.texts("licenses", most=MAX_REVOKED)),
    )
    fields.end()
    try:
        trust.key(read.kid, Role.LICENSE, listed.issued)
    except SignatureError as refusal:
        raise SignatureError(f"{what}: {refusal}") from None
    return listed
