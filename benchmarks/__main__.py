"""Print each measurement of the named groups, or of all, beside its limit; exit 1 if one is missed."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

GROUPS: Final[Mapping[str, str]] = {
    "training": "seconds an epoch, and to 90 % and 91 % coverage; takes minutes",
    "client": "a cold command, opening, drawing, counting, memory",
    "loops": "listing and drawing without a model, beside `sample`",
    "opening": "opening a package of a vast space with a billion draws certified",
    "counting": "draws of vast spaces a second, from one to a hundred million; takes minutes",
    "designing": "draws by property from vast spaces",
    "licensing": "verifying a license, asking it before a call, counting on disk",
    "meter": "counting beside ten million operations of a vast space; takes minutes",
    "scale": "client calls and list pages at a million licenses beside a thousand; takes minutes",
    "server": "validations a second and their waiting times, a large report; SQLite and PostgreSQL",
    "release": "the license server beside its last release: validate, activate, renew; needs git",
}
"""What each group measures. A group is the module of its name, which is loaded when its turn comes."""


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, judge.

    Args:
        words: The groups, each measured once, in this order; by default those of the command line.
    Returns:
        The exit status: 1 if a limit is missed, 2 if there is no such group.
    """
    about = "\n".join(f"  {name:<12}{sentence}" for name, sentence in GROUPS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"groups:\n{about}",
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help="what to measure; default: all")
    named = dict.fromkeys(parser.parse_args(words).groups)
    for name in named:
        if name not in GROUPS:
            *others, last = sorted(GROUPS)
            print(f"error: {name!r} is not a group, expected {', '.join(others)} or {last}", file=sys.stderr)
            return 2
    met = True
    for name in named or GROUPS:
        for measurement in import_module(f"benchmarks.{name}").measurements():
            print(measurement, flush=True)
            met = met and measurement.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
