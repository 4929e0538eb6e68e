"""
Days that users type as ends, in UTC, and durations for people.
"""

from datetime import UTC, datetime, time

from ternary_sdk.errors import InputError


def last_moment(text: str) -> datetime | None:
    """The end that a date names: its last second, UTC; None for ``never``.

    Raises:
        InputError: If it is no date.
    """
    if text == "never":
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise InputError(f"--expires: {text!r}, expected a date such as 2030-12-31, or never") from None
    return datetime.combine(day, time(23, 59, 59), UTC)


def end_after(text: str, now: datetime) -> datetime | None:
    """The same of an end that must lie ahead.

    Raises:
        InputError: If it is no date, or past.
    """
    end = last_moment(text)
    if end is not None and end <= now:
        raise InputError(f"--expires: {text} is past (today is {now:%Y-%m-%d})")
    return end


def duration(seconds: int | None, none: str = "none") -> str:
    """A duration in the largest unit that divides it, as ``30 d``."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s" if seconds else none
