"""Run every sweep over all cores; exit 1 if damage is accepted or anything but our own errors comes out."""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from stress import tokens

CHUNK = 5_000


def main() -> int:
    """Sweep, print what was refused and how, judge."""
    options = argparse.ArgumentParser(prog="python -m stress", description=__doc__)
    options.add_argument("--documents", type=int, default=1_000_000, help="hostile documents to read")
    options.add_argument("--seed", type=int, default=1, help="first seed; each chunk takes the next")
    chosen = options.parse_args()
    start = time.perf_counter()
    found: Counter[str] = Counter()
    chunks = -(-chosen.documents // CHUNK)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(tokens.sweep, [CHUNK] * chunks, range(chosen.seed, chosen.seed + chunks)):
            found += part
            if sys.stderr.isatty():
                print(f"\r{found.total():,} documents", end="", file=sys.stderr, flush=True)
    for outcome, number in sorted(found.items()):
        print(f"{number:>10,}  {outcome}")
    wrong = tokens.accepted_damage(found).total()
    print(
        f"{found.total():,} documents in {time.perf_counter() - start:.0f} s, no foreign error, "
        f"{wrong:,} damaged ones accepted"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
