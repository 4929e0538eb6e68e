"""
Reading a certificate of either kind: of a listed space or of a vast one.
"""

from ternary_sdk._internal.certificates import certificate, statement, vast_certificate
from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.statement import CERTIFICATE, VAST
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.trust.trust import Role, Trust

AnyCertificate = Certificate | VastCertificate


def read(envelope: bytes, trust: Trust, what: str = CERTIFICATE) -> AnyCertificate:
    """Read a signed certificate, in the steps of ``Certificate.read``.

    Raises:
        FormatError: If the envelope or the Statement is not of this format.
        SignatureError: If the signature is wrong or its key is not trusted for it.
    """
    opened = statement.opened(envelope, trust, what)
    found = from_statement(opened.payload, what)
    trust.key(opened.keyid, Role.PACKAGE, found.released)
    return found


def from_statement(data: bytes, what: str = CERTIFICATE) -> AnyCertificate:
    """Read a Statement of either kind and check that it agrees with itself.

    Raises:
        FormatError: If it is not canonical, is not of this format, or contradicts itself.
    """
    parsed = statement.parse(data, what)
    return vast_certificate.read(parsed) if parsed.kind == VAST else certificate.read(parsed)
