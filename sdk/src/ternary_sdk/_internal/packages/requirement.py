"""
What a package must reach before it is released: ``sound``, or a least share of a certified figure.

A share is compared exactly, as a fraction, with what the certificate states. This module reads a requirement
and names what falls short of it; it signs nothing and computes no figure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.reading import AnyCertificate
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk._internal.packages.validation import Validation
from ternary_sdk.coverage import headline_draws
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

SOUND: Final = "sound"
COVERAGE: Final = "coverage"
REACHABLE: Final = "reachable"
EFFECTIVE: Final = "effective"

FORMS: Final = (
    "sound, coverage=0.91, coverage@195000=0.999, reachable=1 or effective=0.9, "
    "of one path as A:coverage=0.91"
)
"""What a requirement may look like, for refusals and help."""

_FIGURE: Final = re.compile(
    r"(?:([A-Z]):)?(coverage|reachable|effective)(?:@([1-9][0-9]{0,17}))?=([01](?:\.[0-9]{1,12})?)"
)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One thing that a package must be, or one share that each path of it must reach."""

    text: str
    """As it was written."""
    figure: str
    """``sound``, ``coverage``, ``reachable`` or ``effective``."""
    path: str | None = None
    """The only path that must reach it; None: every path."""
    draws: int | None = None
    """Of ``coverage``: at how many draws; None: at the headline draws of the space."""
    least: Fraction = Fraction(0)
    """The least share of all operations of the space, in (0, 1]."""

    def shortfalls(self, certificate: AnyCertificate, validation: Validation | None) -> list[str]:
        """One sentence for each way in which a package falls short, with what was found and required.

        Raises:
            InputError: If the figure does not exist for such a certificate.
        """
        if self.figure == SOUND:
            return _unsound(validation)
        found = [(path.path, *self._found(path)) for path in self._paths(certificate)]
        return [
            f"{self.text}: path {letter} has {what}, expected at least {_percent(self.least)} %"
            for letter, share, what in found
            if share < self.least
        ]

    def _paths(self, certificate: AnyCertificate) -> tuple[PathCoverage | VastPath, ...]:
        paths = tuple(path for path in certificate.paths if self.path in (None, path.path))
        if not paths:
            letters = ", ".join(path.path for path in certificate.paths)
            raise InputError(
                f"--require {self.text}: there is no path {self.path}, expected one of {letters}"
            )
        return paths

    def _found(self, path: PathCoverage | VastPath) -> tuple[Fraction, str]:
        """The certified share of one path, and the same in words."""
        return self._vast(path) if isinstance(path, VastPath) else self._listed(path)

    def _listed(self, path: PathCoverage) -> tuple[Fraction, str]:
        size = path.space.size
        if self.figure == EFFECTIVE:
            raise self._lacking(path.space, "only vast spaces have an effective number; use coverage")
        if self.figure == REACHABLE:
            return _counted(len(path.reachable.operations), size, "a reachable share of")
        draws = self.draws or headline_draws(path.space)
        quoted = {prior.draws: prior for prior in path.prior}
        if draws not in quoted:
            numbers = ", ".join(map(str, quoted))
            raise self._lacking(path.space, f"nothing is certified at {draws} draws, only at {numbers}")
        return _counted(quoted[draws].operations, size, f"a coverage at {draws:,} draws of")

    def _vast(self, path: VastPath) -> tuple[Fraction, str]:
        if self.figure == COVERAGE:
            raise self._lacking(path.space, "a vast space has no certified coverage; use effective")
        if self.figure == EFFECTIVE:
            number = path.evenness.effective_number
            name = f"an effective number at {path.evenness.draws:,} draws of"
            return _counted(number, path.space.size, name)
        if path.reachable is None:
            raise self._lacking(path.space, f"path {path.path} has no encoder, so no share is certified")
        if self.least == 1:
            raise self._lacking(path.space, "its reachable share is a bound below 1; ask for less")
        share = Fraction(path.reachable.share)
        return share, f"a reachable share of at least {_percent(share)} %"

    def _lacking(self, space: Space, why: str) -> InputError:
        return InputError(f"--require {self.text}: the model is of {space.title} operations, and {why}")


def parse(text: str) -> Requirement:
    """Read a requirement as users write it.

    Raises:
        InputError: If it is none.
    """
    if text == SOUND:
        return Requirement(text=text, figure=SOUND)
    read = _FIGURE.fullmatch(text)
    least = Fraction(read[4]) if read else Fraction(0)
    if read is None or not 0 < least <= 1 or (read[3] and read[2] != COVERAGE):
        raise InputError(f"--require: {text[:60]!r}, expected {FORMS}")
    draws = int(read[3]) if read[3] else None
    return Requirement(text=text, figure=read[2], path=read[1], draws=draws, least=least)


def check(
    requirements: Iterable[Requirement],
    certificate: AnyCertificate,
    validation: Validation | None,
    what: str,
    ending: str,
    *,
    asked: str = "--require",
) -> None:
    """Refuse a package that falls short of a requirement, and name every figure that does.

    Args:
        requirements: All must be met.
        certificate: What is certified of it.
        validation: What it carries of the vendor's own validation, if anything.
        what: Names the package.
        ending: What was not done, as ``nothing was signed``.
        asked: What it was required by.
    Raises:
        InputError: If it falls short, or a figure does not exist for such a certificate.
    """
    short = [line for each in requirements for line in each.shortfalls(certificate, validation)]
    if short:
        raise InputError(f"{what}: does not meet {asked} {'; '.join(short)}; {ending}")


def unchecked(requirements: Iterable[Requirement], validation: Validation | None) -> str:
    """One sentence that says what nobody required of a package; empty if it had to be sound."""
    asked = list(requirements)
    if any(each.figure == SOUND for each in asked):
        return ""
    if validation is None:
        said = "not validated: the package carries no validation"
    else:
        said = f"validated, but not required to be sound: {validation.sentence}"
    figures = "" if asked else "; no least coverage was required"
    return f"{said}{figures}; --require refuses a package that falls short"


def _unsound(validation: Validation | None) -> list[str]:
    if validation is None:
        return ["sound: no validation is carried, expected one in which a check passed and none failed"]
    if validation.sound:
        return []
    return [f"sound: {validation.sentence}; expected at least one that passed and none that failed"]


def _counted(operations: int, size: int, name: str) -> tuple[Fraction, str]:
    share = Fraction(operations, size)
    return share, f"{name} {_percent(share)} % ({operations:,} of {size:,})"


def _percent(share: Fraction) -> str:
    """In percent, seven decimals rounded down, as many as a certified share has, without zeros at the end."""
    parts = share.numerator * 10**9 // share.denominator
    return f"{(Decimal(parts) / 10**7).normalize():f}"
