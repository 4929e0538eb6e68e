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
    └── CodedError       a refusal with a ``code`` that programs act on
        └── LicenseError     the license does not allow it; ``code`` says why

Callers catch ``TernaryError`` and print it: every message is one sentence that names the object, what
was found and what was expected. ``code`` is for programs: it stays when a sentence is reworded.
Nothing of json, cryptography, sqlite3 or onnxruntime escapes raw.

Every error survives pickling and copying with all of its attributes, so it can cross from a worker process
to its parent.
"""

import copyreg
import re
from enum import StrEnum
from typing import Any, Final

__all__ = [
    "CodedError",
    "CoverageError",
    "FormatError",
    "InputError",
    "LedgerError",
    "LicenseError",
    "ProofError",
    "Reason",
    "ServerError",
    "SignatureError",
    "TernaryError",
]

_CODE: Final = re.compile("[A-Z][A-Z_]{0,59}")


class TernaryError(Exception):
    """Base of every refusal."""

    code: str = "REFUSED"
    """The kind of refusal, for programs; a license's is a ``Reason``, a server's often its own."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own calls the class with ``args``, the message alone. A constructor that takes more then
        # fails in the parent process, and a multiprocessing.Pool waits for its answer for ever.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


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
    """A model does not do what its certificate says.

    Attributes:
        path: The letter of the path that does not, found when a model was opened; else None.
    """

    code = "PROOF"
    path: str | None = None


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
        if code != type(self).code and _CODE.fullmatch(code):
            self.code = code
            self.add_note(f"code: {code}")

    def __repr__(self) -> str:
        return f"ServerError({str(self)!r}, {self.code!r})"


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


class CodedError(TernaryError):
    """A refusal that programs act on by its code.

    ``str`` gives the sentence alone; ``repr`` and a traceback show the code too.
    """

    code: StrEnum
    """Why, as one of a documented set."""

    def __init__(self, code: StrEnum, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.add_note(f"code: {code}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({type(self.code).__name__}.{self.code.name}, {str(self)!r})"


class LicenseError(CodedError):
    """The license does not allow it."""

    code: Reason
    """The first reason, by the precedence of ``Reason``, for which it is refused."""

    def __init__(self, code: Reason, message: str) -> None:
        super().__init__(code, message)
