"""
From outcomes to the document that is kept, shown and carried in a package.
"""

from collections.abc import Mapping
from datetime import datetime

from ternary_sdk._internal.packages.validation import CheckResult, Validation, decimal
from ternary_sdk.errors import InputError
from ternary_trainer.validation.outcome import Outcome
from ternary_trainer.validation.subject import Validated
from ternary_trainer.validation.thresholds import Thresholds, changed


def verdict(
    subject: Validated,
    outcomes: Mapping[str, Outcome],
    thresholds: Thresholds,
    *,
    made: datetime,
    report: str | None = None,
) -> Validation:
    """Write down what was found.

    Args:
        subject: What was validated.
        outcomes: As `checks.validate` gives them.
        thresholds: What they were held against.
        made: Now, timezone-aware; whole seconds are kept.
        report: SHA-256 of the report's page, hex, where one was written.
    Raises:
        InputError: If `made` has no time zone.
    """
    if made.tzinfo is None:
        raise InputError(f"made: {made} has no time zone, expected UTC")
    return Validation(
        kind=subject.kind,
        digest=subject.digest,
        made=made.replace(microsecond=0),
        changed={key: decimal(value) for key, value in changed(thresholds).items()},
        report=report,
        checks=tuple(
            CheckResult(
                name=name,
                ending=outcome.ending,
                reason=outcome.reason,
                figures=outcome.figures,
            )
            for name, outcome in outcomes.items()
        ),
    )
