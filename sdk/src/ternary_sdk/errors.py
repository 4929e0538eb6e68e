"""
Everything this SDK refuses, as one family of exceptions.

    TernaryError
    ├── InputError       an argument, array or input file is not what the call takes
    ├── FormatError      bytes are not the format they claim to be
    ├── SignatureError   a signature is missing, wrong, or by a key that is not trusted for it
    ├── ProofError       a model does not do what its certificate says
    ├── CoverageError    more different operations were asked for than the certified model reaches
    ├── LedgerError      the meter of drawn operations cannot be read or written
    ├── ServerError      a license server cannot be reached, or does not do what was asked
    └── LicenseError     the license does not allow it; ``code`` says why

Callers catch ``TernaryError`` and print it: every message is one sentence that names the object, what
was found and what was expected. ``code`` is for programs: it stays when a sentence is reworded.
Nothing of json, cryptography, sqlite3 or onnxruntime escapes raw.
"""

import re
from enum import StrEnum
from typing import Final

_CODE: Final = re.compile("[A-Z][A-Z_]{0,59}")


class TernaryError(Exception):
    """Base of every refusal."""

    code: str = "REFUSED"
    """The kind of refusal, for programs; a license's is a ``Reason``, a server's often its own."""


class InputError(TernaryError, ValueError):
    """An argument, array or input file is not what the call takes."""

    code = "INPUT"


class FormatError(TernaryError):
    """Bytes are not the format they claim to be."""

    code = "FORMAT"


class SignatureError(TernaryError):
    """A signature is missing, wrong, or by a key that is not trusted for it."""

    code = "SIGNATURE"


class ProofError(TernaryError):
    """A model does not do what its certificate says."""

    code = "PROOF"


class CoverageError(TernaryError):
    """More different operations were asked for than the certified model reaches."""

    code = "COVERAGE"


class LedgerError(TernaryError):
    """The meter of drawn operations cannot be read or written."""

    code = "LEDGER"


class ServerError(TernaryError):
    """A license server cannot be reached, or does not do what was asked.

    Attributes:
        code: What the server itself gave as its code, such as ``CONFLICT``; else ``SERVER``.
    """

    code = "SERVER"

    def __init__(self, message: str, code: str = code) -> None:
        super().__init__(message)
        if _CODE.fullmatch(code):
            self.code = code


class Reason(StrEnum):
    """Why a license refuses; the order is the documented precedence, first match wins."""

    TRUST_ROLLBACK = "TRUST_ROLLBACK"
    MALFORMED = "MALFORMED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    KEY_REVOKED = "KEY_REVOKED"
    NOT_FOUND = "NOT_FOUND"
    REVOKED = "REVOKED"
    SUSPENDED = "SUSPENDED"
    CLOCK_ROLLBACK = "CLOCK_ROLLBACK"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    HEARTBEAT_DEAD = "HEARTBEAT_DEAD"
    PACKAGE_MISMATCH = "PACKAGE_MISMATCH"
    VERSION_MISMATCH = "VERSION_MISMATCH"
    MACHINE_REQUIRED = "MACHINE_REQUIRED"
    MACHINE_MISMATCH = "MACHINE_MISMATCH"
    TOO_MANY_MACHINES = "TOO_MANY_MACHINES"
    LEASE_LOST = "LEASE_LOST"
    ENTITLEMENT_MISSING = "ENTITLEMENT_MISSING"
    QUOTA_EXHAUSTED = "QUOTA_EXHAUSTED"


class LicenseError(TernaryError):
    """The license does not allow it."""

    code: Reason
    """The first reason, by the precedence of ``Reason``, for which it is refused."""

    def __init__(self, code: Reason, message: str) -> None:
        super().__init__(message)
        self.code = code
