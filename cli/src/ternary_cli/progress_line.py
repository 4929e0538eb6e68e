"""
One line on a terminal that says how far a long computation has come; nothing where nobody watches.
"""

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Final

from ternary_sdk._internal.counting.progress import Progress

_WIDTH: Final = 30
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[Progress], None]]:
    """What draws the line on standard error, if that is a terminal; it is wiped out at the end."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return

    def tell(progress: Progress) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\r{words(progress)}\x1b[K")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        with contextlib.suppress(OSError):
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def words(progress: Progress) -> str:
    """The line: the stage, a bar, the share, the rate and the time left."""
    share = progress.done / progress.draws if progress.draws else 1.0
    bar = ("#" * int(_WIDTH * share)).ljust(_WIDTH, ".")
    left = progress.seconds_left
    told = f"  {progress.rate:,.0f}/s, {duration(left)} left" if left is not None else ""
    return f"{progress.stage} [{bar}] {100 * share:3.0f} %{told}"


def duration(seconds: float) -> str:
    """A duration in its two largest units, such as ``2 h 5 min``."""
    left, parts = round(seconds), list[str]()
    for size, unit in _UNITS:
        number, left = divmod(left, size)
        if number or (parts and len(parts) < 2):
            parts.append(f"{number} {unit}")
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"
