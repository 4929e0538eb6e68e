"""
What this user has activated: for each license, its server, its lease and the license itself.

The license is a file of its own beside the record, so that anything that takes a license file takes it.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ternary_sdk._internal.documents import canonical, outer
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.identity import LICENSE_ID
from ternary_sdk._internal.licensing import mark, state
from ternary_sdk._internal.licensing.installation import Installation
from ternary_sdk._internal.licensing.license import License
from ternary_sdk._internal.licensing.mark import Denial
from ternary_sdk._internal.online.request import MAX_GENERATION
from ternary_sdk._internal.signing.jws import MAX_TOKEN
from ternary_sdk._internal.trust.trust import Trust
from ternary_sdk.errors import FormatError, LedgerError, LicenseError, Reason

FORMAT: Final = "ternary-activation/2"
_WITHOUT_LEASE: Final = "ternary-activation/1"
MAX_FILE: Final = 4096
_FOLDER: Final = "activations"


@dataclass(frozen=True, kw_only=True)
class Activation:
    """A seat that this installation took."""

    license_id: str
    """The license."""
    lease: str | None
    """The lease's number, from the signed license; None in a record of an older SDK."""
    generation: int
    """Which activation of this installation it is."""
    ends: datetime
    """When the server gives the seat to another if it hears nothing."""
    renew_after: datetime | None
    """When to ask the server again; None for an offline license, which cannot be renewed."""
    server: str | None
    """The server's address; None where a file was carried."""

    def due(self, now: datetime) -> bool:
        """Whether it is time to renew."""
        return self.renew_after is not None and now >= self.renew_after


def license_file(directory: Path, license_id: str) -> Path:
    """Where the license of an activation is kept."""
    return directory / _FOLDER / f"{license_id}.license"


def kept_license(directory: Path, license_id: str, trust: Trust) -> License | None:
    """The license of an activation; None where none is kept, or it is revoked by now."""
    try:
        data = state.read(license_file(directory, license_id), MAX_TOKEN)
        return None if data is None else License.read(data, trust)
    except (LedgerError, LicenseError):
        return None


def lease_number(directory: Path, activation: Activation, trust: Trust) -> str:
    """The number that proves which lease is meant.

    Raises:
        LicenseError: LEASE_LOST, if an older SDK kept none and its license is gone.
    """
    if activation.lease is not None:
        return activation.lease
    kept = kept_license(directory, activation.license_id, trust)
    if kept is None or kept.lease is None:
        raise LicenseError(
            Reason.LEASE_LOST,
            f"license {activation.license_id}: an older SDK kept no lease number, without which no seat can "
            "be renewed or given back; run 'ternary activate' with the license key again",
        )
    return kept.lease


def keep(directory: Path, activation: Activation, token: bytes) -> Path:
    """Write an activation and its license.

    Returns:
        The license file.
    Raises:
        LedgerError: If it cannot be written.
    """
    path = license_file(directory, activation.license_id)
    record: dict[str, Json] = {
        "format": FORMAT,
        "license": activation.license_id,
        "generation": activation.generation,
        "ends": int(activation.ends.timestamp()),
    }
    if activation.lease is not None:
        record["lease"] = activation.lease
    if activation.renew_after is not None:
        record["renew_after"] = int(activation.renew_after.timestamp())
    if activation.server is not None:
        record["server"] = activation.server
    state.write(_record_file(directory, activation.license_id), canonical.encode(record))
    state.write(path, token + b"\n")
    return path


def find(directory: Path, license_id: str) -> Activation:
    """An activation of this user.

    Raises:
        LedgerError: If there is none of that license, or its file cannot be read.
    """
    if not LICENSE_ID.fullmatch(license_id):
        raise LedgerError(f"license {license_id[:80]!r}: no license id; 'ternary license show' prints it")
    path = _record_file(directory, license_id)
    data = state.read(path, MAX_FILE)
    if data is None:
        raise LedgerError(f"license {license_id}: not activated by this user on this machine")
    try:
        return _read(Fields(canonical.decode(data, path.name), path.name))
    except FormatError as refusal:
        raise LedgerError(f"{path}: damaged ({refusal})") from None


def every(directory: Path) -> Iterator[Activation]:
    """Every activation of this user, by license id.

    Raises:
        LedgerError: As ``find``.
    """
    for path in sorted((directory / _FOLDER).glob("*.json")):
        yield find(directory, path.stem)


def withdraw(
    held: Installation, license_id: str, code: Reason, trust: Trust, now: datetime, *, forget: bool
) -> None:
    """End a license after a signed denial or a release: its file here, and by the mark every other copy.

    Args:
        held: This user's installation.
        license_id: The license.
        code: Why; LEASE_LOST for a release.
        trust: Whom to believe.
        now: The present moment, timezone-aware.
        forget: Remove the activation too.
    Raises:
        LedgerError: If it cannot be removed, or the denial cannot be kept.
    """
    with suppress(LicenseError):  # a mark that was removed refuses the license already
        kept = kept_license(held.directory, license_id, trust)
        issued = kept.issued if kept is not None else now
        mark.deny(held, Denial(license=license_id, code=code, issued=issued))
    paths = [license_file(held.directory, license_id)]
    if forget:
        paths.append(_record_file(held.directory, license_id))
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise LedgerError(f"{path}: cannot be removed ({error.strerror})") from None


def accept(body: bytes, trust: Trust, held: Installation, *, server: str | None) -> Activation:
    """Keep the license of an answer, if it is the vendor's and bound to this installation.

    Args:
        body: The answer to an activation or renewal, or the response file of an air-gapped one; a byte order
            mark and white space around it do not count.
        trust: Whom to believe.
        held: This user's installation.
        server: The server's address; None for a response file.
    Raises:
        FormatError: If it is no such answer.
        LicenseError: If the license in it is not valid, or MACHINE_MISMATCH if it is another's.
        LedgerError: If it cannot be kept.
    """
    decoded = canonical.decode(outer.bare(body, "server's answer"), "server's answer")
    activation, token = _from_answer(Fields(decoded, "server's answer"), server)
    license = License.read(token, trust)
    if license.bound_to != held.kid:
        raise LicenseError(
            Reason.MACHINE_MISMATCH,
            f"license {license.id} is bound to installation key {license.bound_to}, this user's is "
            f"{held.kid}; the answer belongs to another machine's request",
        )
    if license.id != activation.license_id:
        raise FormatError(f"server's answer.id: {activation.license_id}, its license is {license.id}")
    activation = replace(activation, lease=license.lease)
    if server is not None:
        with suppress(LicenseError):
            mark.forgive(held, license.id)  # answers come once, so this one is later than any denial
    keep(held.directory, activation, token)
    return activation


def _from_answer(fields: Fields, server: str | None) -> tuple[Activation, bytes]:
    activation = Activation(
        license_id=fields.text("id", pattern=LICENSE_ID),
        lease=None,
        generation=fields.integer("generation", least=1, most=MAX_GENERATION),
        ends=fields.moment("ends"),
        renew_after=_moment_or_null(fields, "renew_after"),
        server=server,
    )
    token = fields.text("license", longest=1 << 20)
    fields.text("installation")
    fields.truth("offline")
    fields.end()
    return activation, token.encode()


def _record_file(directory: Path, license_id: str) -> Path:
    return directory / _FOLDER / f"{license_id}.json"


def _moment_or_null(fields: Fields, name: str) -> datetime | None:
    value = fields.json(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 253_402_300_799:
        raise fields.wrong(name, value, "seconds since 1970-01-01 UTC, or null")
    return datetime.fromtimestamp(value, UTC)


def _read(fields: Fields) -> Activation:
    fields.one_of("format", (_WITHOUT_LEASE, FORMAT))
    activation = Activation(
        license_id=fields.text("license", pattern=LICENSE_ID),
        lease=fields.optional("lease", lambda name: fields.text(name, pattern=LICENSE_ID)),
        generation=fields.integer("generation", least=1, most=MAX_GENERATION),
        ends=fields.moment("ends"),
        renew_after=fields.optional("renew_after", fields.moment),
        server=fields.optional("server", fields.text),
    )
    fields.end()
    return activation
