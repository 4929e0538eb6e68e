"""
What a vendor's validation found, as a package may carry it: ``validation.json``.

Every figure stands with its 95 % interval and its threshold, and the reader works out itself whether a check
may say that it passed. It is the vendor's word, signed with the package; unlike the certificate it is not
proved again (docs/validation.md defines the checks).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import MAX_TEXT, Fields
from ternary_sdk._internal.packages.members import VALIDATION
from ternary_sdk.errors import FormatError

T = TypeVar("T", bound=StrEnum)

FORMAT: Final = "ternary-validation/1"

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_KIND: Final = re.compile(r"run|checkpoint|package")
_PATH: Final = re.compile(r"[A-Z]?")
_MOST_FIGURES: Final = 128
"""Of a check: 8 paths, each with 14 figures of the sweep over beta, are 112."""
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?")
_PLACES: Final = Decimal("0.000001")


class Ending(StrEnum):
    """How a check ended; the last two count neither for the model nor against it."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"


class Relation(StrEnum):
    """Which side of its bound a figure must be on; ``shown`` figures decide nothing."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    SHOWN = "shown"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of a check; numbers are decimal strings of at most six decimals, rounded."""

    name: str
    """What was measured."""
    path: str
    """``A``, ``B``, or empty where it is of both."""
    value: str
    low: str
    """Lower end of the 95 % interval; ``value`` where a figure has none: a count, a record, one training."""
    high: str
    """Upper end."""
    relation: Relation
    bound: str
    """The threshold; ``0`` where the figure is only shown."""

    @property
    def passed(self) -> bool:
        """Whether the whole interval is on the right side of the bound."""
        if self.relation is Relation.AT_LEAST:
            return Decimal(self.low) >= Decimal(self.bound)
        return self.relation is Relation.SHOWN or Decimal(self.high) <= Decimal(self.bound)


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What one check found."""

    name: str
    ending: Ending
    reason: str
    """One sentence."""
    figures: tuple[Figure, ...]


@dataclass(frozen=True, kw_only=True)
class Validation:
    """A verdict and what it rests on."""

    kind: str
    """What was validated: ``run``, ``checkpoint`` or ``package``."""
    digest: str
    """SHA-256 of the snapshot's file, or the package's digest, hex."""
    made: datetime
    """UTC, whole seconds."""
    changed: Mapping[str, str]
    """Thresholds that differ from the standard ones, by name."""
    report: str | None
    """SHA-256 of the report's HTML page, hex, where one was written."""
    checks: tuple[CheckResult, ...]

    def named(self, ending: Ending) -> tuple[str, ...]:
        """The checks that ended so."""
        return tuple(check.name for check in self.checks if check.ending is ending)

    @property
    def sound(self) -> bool:
        """Whether at least one check passed and none failed."""
        return bool(self.named(Ending.PASSED)) and not self.named(Ending.FAILED)

    @property
    def sentence(self) -> str:
        """The verdict in one line."""
        failed = self.named(Ending.FAILED)
        parts = [f"{len(self.named(Ending.PASSED))} of {len(self.checks)} checks passed"]
        parts += [f"failed: {', '.join(failed)}"] if failed else []
        for ending in (Ending.NOT_APPLICABLE, Ending.NOT_RUN):
            if self.named(ending):
                parts.append(f"{len(self.named(ending))} {ending}")
        return "; ".join(parts) + ("; thresholds were changed" if self.changed else "")

    def to_bytes(self) -> bytes:
        """Write it as canonical JSON."""
        document: dict[str, Json] = {
            "format": FORMAT,
            "subject": {"kind": self.kind, "sha256": self.digest},
            "made": int(self.made.timestamp()),
            "changed_thresholds": dict(self.changed),
            "checks": [_write(check) for check in self.checks],
        }
        if self.report is not None:
            document["report"] = self.report
        return canonical.encode(document)

    @classmethod
    def read(cls, data: bytes, what: str = VALIDATION) -> "Validation":
        """Read the document.

        Raises:
            FormatError: If it is not canonical, not of this format, or contradicts itself.
        """
        fields = Fields(canonical.decode(data, what), what)
        fields.exactly("format", FORMAT)
        subject = fields.object("subject")
        validation = cls(
            kind=subject.text("kind", pattern=_KIND),
            digest=subject.sha256("sha256"),
            made=fields.moment("made").astimezone(UTC),
            changed=fields.labels("changed_thresholds", most=64),
            report=fields.optional("report", fields.sha256),
            checks=fields.items("checks", _read_check, least=1, most=64),
        )
        subject.end()
        fields.end()
        names = [check.name for check in validation.checks]
        if len(set(names)) != len(names):
            raise FormatError(f"{what}.checks: a check is repeated")
        return validation


def decimal(value: float) -> str:
    """A real number as this document writes it: at most six decimals, rounded to the nearest."""
    rounded = Decimal(repr(value)).quantize(_PLACES)
    return f"{rounded.normalize() + 0:f}"


def _write(check: CheckResult) -> Json:
    figures: list[Json] = [
        {
            "name": figure.name,
            "path": figure.path,
            "value": figure.value,
            "low": figure.low,
            "high": figure.high,
            "relation": str(figure.relation),
            "bound": figure.bound,
        }
        for figure in check.figures
    ]
    return {"name": check.name, "ending": str(check.ending), "reason": check.reason, "figures": figures}


def _read_check(fields: Fields) -> CheckResult:
    check = CheckResult(
        name=fields.text("name", pattern=_NAME),
        ending=_one_of(Ending, fields, "ending"),
        reason=fields.line("reason", longest=MAX_TEXT),
        figures=fields.items("figures", _read_figure, most=_MOST_FIGURES),
    )
    fields.end()
    good = all(figure.passed for figure in check.figures)
    decides = any(figure.relation is not Relation.SHOWN for figure in check.figures)
    expected = {Ending.PASSED: good and decides, Ending.FAILED: not good}.get(check.ending, not check.figures)
    if not expected:
        raise FormatError(f"{fields.path}: its figures contradict its ending, {str(check.ending)!r}")
    return check


def _read_figure(fields: Fields) -> Figure:
    figure = Figure(
        name=fields.line("name"),
        path=fields.text("path", pattern=_PATH),
        value=fields.text("value", pattern=_DECIMAL),
        low=fields.text("low", pattern=_DECIMAL),
        high=fields.text("high", pattern=_DECIMAL),
        relation=_one_of(Relation, fields, "relation"),
        bound=fields.text("bound", pattern=_DECIMAL),
    )
    fields.end()
    return figure


def _one_of(kind: type[T], fields: Fields, name: str) -> T:
    text = fields.text(name, longest=40)
    try:
        return kind(text)
    except ValueError:
        raise fields.wrong(name, text, f"one of {', '.join(kind)}") from None
