"""Print every figure beside its limit; exit 1 if one is missed."""

import sys

from benchmarks import client, licensing, server, training


def main() -> int:
    """Measure, print, judge."""
    met = True
    for group in (training, client, licensing, server):
        for figure in group.figures():
            print(figure, flush=True)
            met = met and figure.met
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
