"""
``python -m maintenance.release [CHECK…]``: check what a release needs, and publish nothing.

One line for each check: ``ok`` and what was found, or ``not ok``, what was found and what to do. Exit status
1 if one is not ok, 2 if there is no such check.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from maintenance.release import checks
from maintenance.release.checks import Check, NotReadyError

ROOT: Final = Path(__file__).parents[2]


def main(words: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command line on the clone at ``root``."""
    parser = argparse.ArgumentParser(
        prog="python -m maintenance.release",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"default: {', '.join(checks.ALL)}")
    given = parser.parse_args(words)
    if unknown := [name for name in given.checks if name not in checks.ALL]:
        sys.stderr.write(f"error: {unknown[0]!r} is not a check, expected {', '.join(checks.ALL)}\n")
        return 2
    wanted = {name: check for name, check in checks.ALL.items() if not given.checks or name in given.checks}
    # every check runs, whatever the ones before it found
    passed = [_printed(name, check, root) for name, check in wanted.items()]
    return 0 if all(passed) else 1


def _printed(name: str, check: Check, root: Path) -> bool:
    try:
        line, passed = check(root), True
    except NotReadyError as refusal:
        line, passed = str(refusal), False
    sys.stdout.write(f"{'ok' if passed else 'not ok':<8}{name:<11}{line}\n")
    sys.stdout.flush()
    return passed


if __name__ == "__main__":
    sys.exit(main())
