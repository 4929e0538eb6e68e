"""
What a verification has checked so far, to be written down as evidence whatever happens next.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from ternary_cli.files import write
from ternary_cli.recounting import Recounted
from ternary_cli.selection import Fetched
from ternary_sdk._internal.certificates.statement import CERTIFICATE
from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk._internal.packages.members import SIGNATURE
from ternary_sdk._internal.packages.package import Package
from ternary_sdk._internal.packages.verification import Basis, Check, Counted, Result, Subject, Verification
from ternary_sdk._internal.release import VERSION
from ternary_sdk._internal.signing.dsse import Envelope
from ternary_sdk.errors import TernaryError

PACKAGE: Final = "package"
REACHABLE: Final = "reachable"
DRAWS: Final = "draws"
COUNTS: Final = "counts"
RECOUNT: Final = "recount"

_NOT_REACHED: Final = "not known: the verification ended before it was checked"
_COMPUTED_WITH: Final = ("numpy", "onnxruntime")


class Journal:
    """The checks of one verification, each unknown until it ends.

    Args:
        fetched: What is verified.
        recount: Whether a recount is asked for.
    """

    def __init__(self, fetched: Fetched, *, recount: bool) -> None:
        self._fetched = fetched
        self._package: Package | None = None
        self._recount: Recounted | None = None
        self._checks = [_check(PACKAGE, None, Basis.SIGNATURE, _NOT_REACHED)]
        self._checks += [
            _check(name, None, Basis.RECOMPUTED, _NOT_REACHED) for name in (REACHABLE, DRAWS, COUNTS)
        ]
        self._asked = [_check(RECOUNT, None, Basis.RECOMPUTED, _NOT_REACHED)] if recount else []
        self._checks += self._asked

    def know(self, package: Package, recounted: str | None) -> None:
        """The package was understood: from here on its paths are checked, one by one.

        Args:
            package: What was understood.
            recounted: The path of a recount; None if none is asked for, or of a path that is not there.
        """
        self._package = package
        of_paths = [
            _check(name, path, Basis.RECOMPUTED, _NOT_REACHED)
            for path in package.signature.paths
            for name in (REACHABLE, DRAWS, COUNTS)
        ]
        recounts = [replace(check, path=recounted) for check in self._asked]
        self._checks = [self._checks[0], *of_paths, *recounts]

    @contextmanager
    def checking(self, name: str, path: str | None, found: str) -> Iterator[None]:
        """A check that passes, with what was found, unless what is done inside is refused."""
        try:
            yield
        except TernaryError as refusal:
            self.note(name, path, Result.FAILED, str(refusal))
            raise
        self.note(name, path, Result.PASSED, found)

    def note(self, name: str, path: str | None, result: Result, detail: str) -> None:
        """How a check ended."""
        place = next(i for i, check in enumerate(self._checks) if (check.name, check.path) == (name, path))
        self._checks[place] = replace(self._checks[place], result=result, detail=detail)

    def count(self, recounted: Recounted) -> None:
        """What a recount found."""
        self._recount = recounted

    def write(self, target: Path) -> None:
        """Write it all down."""
        fetched, recounted = self._fetched, self._recount
        document = Verification(
            file=hashlib.sha256(fetched.data).hexdigest(),
            size=len(fetched.data),
            subject=None if self._package is None else _subject(self._package),
            vendor=fetched.trust.vendor,
            root=fetched.trust.root.kid,
            key_set=fetched.trust.version,
            verifier={"ternary-cli": VERSION, **{name: version(name) for name in _COMPUTED_WITH}},
            made=datetime.now(UTC).replace(microsecond=0),
            checks=tuple(self._checks),
            recount=None if recounted is None else _counted(recounted),
        )
        write(document.to_bytes(), target)


def _check(name: str, path: str | None, basis: Basis, detail: str) -> Check:
    return Check(name=name, path=path, basis=basis, result=Result.UNKNOWN, detail=detail)


def _subject(package: Package) -> Subject:
    envelope = canonical.decode_any(package.members[CERTIFICATE], CERTIFICATE)
    certified_by = Envelope.from_fields(Fields(envelope, CERTIFICATE)).keyid
    return Subject(
        label=package.manifest.label,
        digest=package.identity.digest,
        space=package.signature.space,
        latent_size=package.signature.latent_size,
        graphs=package.certificate.subjects,
        signatures={CERTIFICATE: certified_by, SIGNATURE: package.signed_by},
    )


def _counted(recounted: Recounted) -> Counted:
    found = recounted.found
    tried = None if found.tried is None else (found.tried.operations, found.tried.failures)
    return Counted(path=recounted.path, seed=found.seed, evenness=found.evenness, tried=tried)
