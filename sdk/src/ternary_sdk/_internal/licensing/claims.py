"""
The claims that only licenses have: entitlements, features, machines, binding, content keys, with their rules.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import ExactPackage, PackageTerm
from ternary_sdk._internal.licensing import own_claims
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.signing.jws import KID, MAX_SEALED
from ternary_sdk.errors import FormatError

Action = Literal["encode", "decode", "sample"]

ACTIONS: Final[tuple[Action, ...]] = ("encode", "decode", "sample")
MACHINE_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
"""What a license may name."""
OWN_MACHINE_ID: Final = re.compile(r"[mx]-[0-9a-f]{32}")
"""What ``machine.identify`` calls a machine, and therefore all that one may call itself."""
FEATURE: Final = own_claims.NAME
"""What an entitlement of the vendor's own is called."""
CONTENT_KEY_BYTES: Final = 32
MAX_MACHINES: Final = 1024
MAX_PACKAGES: Final = 256
MAX_FEATURES: Final = 64
MAX_GRACE: Final = timedelta(days=90)
"""The ceiling: nobody can be granted more, by mistake or otherwise."""


@dataclass(frozen=True, kw_only=True)
class ContentKey:
    """What decrypts one package: in the clear in a bearer license, sealed in a bound one."""

    digest: str
    """The package's digest."""
    clear: bytes | None = field(repr=False)
    """The 32 bytes, in a bearer license."""
    sealed: str | None = field(repr=False)
    """A compact JWE to the installation key, in a bound license."""

    def open(self, installation: Installation) -> bytes:
        """The key's 32 bytes.

        Raises:
            FormatError, SignatureError: If it was not sealed to this installation, or is no such key.
        """
        if self.clear is not None:
            return self.clear
        from ternary_sdk._internal.signing import jwe  # its ciphers take longer to import than to use

        what = f"content key of package {self.digest[:12]}…"
        key = jwe.unseal(self.sealed or "", installation.private, installation.kid, what=what)
        if len(key) != CONTENT_KEY_BYTES:
            raise FormatError(f"{what}: {len(key)} bytes, expected {CONTENT_KEY_BYTES}")
        return key


def entitlements(fields: Fields) -> frozenset[str]:
    """``entitlements``: which of encode, decode and sample, at least one."""
    granted = fields.texts("entitlements", least=1, most=len(ACTIONS))
    for name in granted:
        if name not in ACTIONS:
            raise fields.wrong("entitlements", name, "encode, decode or sample")
    return frozenset(granted)


def features(fields: Fields) -> frozenset[str]:
    """``features``: what else it allows, by names ``x-…`` that the vendor's own program asks for."""
    if "features" not in fields:
        return frozenset()
    granted = fields.texts("features", least=1, most=MAX_FEATURES)
    for name in granted:
        if not FEATURE.fullmatch(name):
            raise fields.wrong("features", name, f"text of the form {FEATURE.pattern}")
    return frozenset(granted)


def machines(fields: Fields) -> tuple[str, ...] | None:
    """``machines``: ids of the machines it runs on; None where the claim is absent."""
    if "machines" not in fields:
        return None
    ids = fields.texts("machines", least=1, most=MAX_MACHINES)
    for machine in ids:
        if not MACHINE_ID.fullmatch(machine):
            raise fields.wrong("machines", machine, f"text of the form {MACHINE_ID.pattern}")
    return ids


def bound_to(fields: Fields) -> str | None:
    """``cnf``: the thumbprint of the one installation key it is bound to (RFC 7800, RFC 9449 ``jkt``)."""
    if "cnf" not in fields:
        return None
    confirmation = fields.object("cnf")
    kid = confirmation.text("jkt", pattern=KID)
    confirmation.end()
    return kid


def content_keys(fields: Fields, packages: tuple[PackageTerm, ...], bound: bool) -> tuple[ContentKey, ...]:
    """``content_keys``: one for each encrypted package, sealed exactly if the license is bound."""

    def read(entry: Fields) -> ContentKey:
        digest = entry.sha256("digest")
        sealed = entry.text("jwe", longest=MAX_SEALED) if bound else None
        clear = None if bound else entry.octets("key", longest=CONTENT_KEY_BYTES)
        entry.end()
        if clear is not None and len(clear) != CONTENT_KEY_BYTES:
            raise FormatError(f"{entry.path}.key: {len(clear)} bytes, expected {CONTENT_KEY_BYTES}")
        return ContentKey(digest=digest, clear=clear, sealed=sealed)

    if "content_keys" not in fields:
        return ()
    keys = fields.items("content_keys", read, least=1, most=MAX_PACKAGES)
    digests = [key.digest for key in keys]
    licensed = {term.digest for term in packages if isinstance(term, ExactPackage)}
    if len(set(digests)) != len(digests) or not licensed.issuperset(digests):
        raise FormatError(f"{fields.path}.content_keys: a digest is repeated or not among the packages")
    return keys


def seats(fields: Fields, limited: bool) -> int | None:
    """``seats``: how many machines may hold the license at once, counted by the license server.

    Only a license that is limited to machines or bound to an installation can have them counted.
    """
    if "seats" not in fields:
        return None
    number = fields.integer("seats", least=1, most=1_000_000)
    if not limited:
        raise FormatError(f"{fields.path}.seats: nothing counts them without 'machines' or 'cnf'")
    return number


def grace(fields: Fields, *, bound: bool, issued: datetime, expires: datetime | None) -> datetime | None:
    """``grace``: from when on it runs without the renewal that is due then, up to its end.

    Only a license server grants it, with a lease to one installation; the end is the ceiling.
    """
    if "grace" not in fields:
        return None
    terms = fields.object("grace")
    start = terms.moment("from")
    terms.end()
    if not bound or expires is None:
        raise FormatError(f"{fields.path}.grace: only together with 'cnf' and 'exp'")
    if not issued <= start < expires:
        raise FormatError(f"{terms.path}.from: not between the license's issue and its end")
    if expires - start > MAX_GRACE:
        raise FormatError(f"{terms.path}.from: more than {MAX_GRACE.days} days before the license's end")
    return start
