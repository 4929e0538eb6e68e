"""
Documents that carry the public key they are signed with: a token in an envelope that names format and key.

Such a signature says that whoever holds the key wrote this, and nothing of who that is; the reader decides
which key he expects. Requests and usage reports are of this shape.
"""

from dataclasses import dataclass

from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.signing import jws
from ternary_sdk._internal.signing.keys import PublicKey
from ternary_sdk.errors import FormatError, SignatureError


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """One kind of such documents."""

    what: str
    """Its name in messages."""
    formats: tuple[str, ...]
    """Its name with each version that is read, as the document states it; the last one is written."""
    member: str
    """The member that holds the token."""
    typ: str
    """The token's declared type."""
    longest: int
    """Most bytes of a document."""

    def read(self, data: bytes) -> tuple[str, Fields, PublicKey]:
        """The format of a document, its claims, and the key that it names and is signed with.

        A byte order mark and white space around it do not count.

        Raises:
            FormatError: If it is malformed or too long.
            SignatureError: If it is not signed with the key that it names.
        """
        if len(data) > self.longest:
            raise FormatError(f"{self.what}: {len(data)} bytes, expected at most {self.longest}")
        fields = Fields(canonical.decode(outer.bare(data, self.what), self.what), self.what)
        format = fields.one_of("format", self.formats)
        key = PublicKey.from_jwk(fields.object("key"))
        token = fields.text(self.member, longest=self.longest).encode()
        fields.end()

        def own(kid: str) -> PublicKey:
            if kid != key.kid:
                raise SignatureError(f"{self.what}: signed by key {kid}, it names {key.kid}")
            return key

        claims = jws.read(token, typ=self.typ, what=self.what, key_for=own, longest=self.longest).claims
        return format, Fields(claims, self.what), key
