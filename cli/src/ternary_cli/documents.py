"""
Reading the files that a user names: a refusal names the file, and says where one is given for the other.
"""

from pathlib import Path
from typing import Final

from ternary_cli.files import read
from ternary_sdk._internal.documents import outer
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.packages.package import MAX_PACKAGE, Package
from ternary_sdk._internal.trust.trust import MAX_TRUST, Trust
from ternary_sdk.errors import FormatError, InputError, LicenseError, ProofError, Reason, SignatureError
from ternary_sdk.licensed import MAX_LICENSE

_LICENSE: Final = "a license"
_TRUST: Final = "a trust file"
_PACKAGE: Final = "a package"
_CERTIFICATE: Final = "a certificate"
_BEGINNINGS: Final = {
    _LICENSE: b"eyJ",  # '{"' in base64url, as every token's header begins
    _TRUST: b'{"format":"ternary-trust/',
    _PACKAGE: b"PK\x03\x04",
    _CERTIFICATE: b'{"payload":',
}
_OF_THE_FILE: Final = (Reason.MALFORMED, Reason.SIGNATURE_INVALID)


def read_license(source: Path) -> bytes:
    """A license file's bytes, not verified.

    Raises:
        LicenseError: MALFORMED, if it is empty or another kind of file.
        TernaryError: If it cannot be read.
    """
    data, name = read(source, most=MAX_LICENSE)
    found = _other_than(_LICENSE, data)
    if found is not None:
        raise LicenseError(Reason.MALFORMED, f"{name}: {found}, expected {_LICENSE}")
    return data


def verified_license(source: Path, trust: Trust) -> License:
    """A license, verified; a refusal names its file, or the license by its id.

    Raises:
        LicenseError: As ``License.read``, or if it is empty or another kind of file.
        TernaryError: If it cannot be read.
    """
    data = read_license(source)
    try:
        return License.read(data, trust)
    except LicenseError as refusal:
        raise license_named(refusal, str(source)) from None


def read_trust(source: Path) -> Trust:
    """Read a trust file.

    Raises:
        FormatError: If it is empty, another kind of file or damaged.
        SignatureError: If a signature in it is wrong.
        TernaryError: If it cannot be read.
    """
    data, name = read(source, most=MAX_TRUST)
    found = _other_than(_TRUST, data)
    if found is not None:
        raise FormatError(f"{name}: {found}, expected {_TRUST}")
    try:
        return Trust.read(data)
    except (FormatError, SignatureError) as refusal:
        raise type(refusal)(f"{name}: {refusal}") from None


def read_package(source: Path) -> bytes:
    """A package's bytes, not verified.

    Raises:
        InputError: If it is another kind of file.
        TernaryError: If it cannot be read.
    """
    data, name = read(source, most=MAX_PACKAGE)
    found = _other_than(_PACKAGE, data)
    if found == f"this is {_CERTIFICATE}":
        raise InputError(f"{name}: {found}; run 'ternary verify {name} --model DECODER.onnx'")
    if found is not None:
        raise InputError(f"{name}: {found}, expected {_PACKAGE}")
    return data


def verified_package(source: Path, trust: Trust) -> Package:
    """A package, verified and not proved; a refusal names its file.

    Raises:
        InputError: If it is another kind of file.
        FormatError, SignatureError, ProofError: As ``Package.read``.
        TernaryError: If it cannot be read.
    """
    return verified(read_package(source), str(source), trust)


def verified(package: bytes, name: str, trust: Trust) -> Package:
    """A package's bytes, verified and not proved; a refusal names their file.

    Raises:
        FormatError, SignatureError, ProofError: As ``Package.read``.
    """
    try:
        return Package.read(package, trust)
    except (FormatError, SignatureError, ProofError) as refusal:
        raise type(refusal)(f"{name}: {refusal}") from None


def expect_certificate(data: bytes, name: str) -> None:
    """Refuse bytes that are another kind of file than a certificate that stands alone.

    Raises:
        InputError: If they are.
    """
    found = _other_than(_CERTIFICATE, data)
    if found == f"this is {_PACKAGE}":
        raise InputError(f"{name}: {found}, which needs no --model; run 'ternary verify {name}'")
    if found is not None:
        raise InputError(f"{name}: {found}, expected {_CERTIFICATE}")


def license_named(refusal: LicenseError, name: str) -> LicenseError:
    """The same refusal with its file's name, where it does not name the license by its id."""
    if refusal.code not in _OF_THE_FILE:
        return refusal
    return LicenseError(refusal.code, f"{name}: {refusal}")


def _other_than(expected: str, data: bytes) -> str | None:
    """What the bytes are instead, in words; None if they may be what is expected or are nothing known."""
    inner = outer.stripped(data)
    if not inner:
        return "empty"
    kinds = (kind for kind, beginning in _BEGINNINGS.items() if inner.startswith(beginning))
    return next((f"this is {kind}" for kind in kinds if kind != expected), None)
