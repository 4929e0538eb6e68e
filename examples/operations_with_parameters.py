"""
Operations with parameters of your own, drawn together: the same seed gives the same pairs.

Usage: operations_with_parameters.py [SEED], 7 if left out. The operations come from a model, the parameters
from a number stream beside it: a threshold that is uniform, and a delay that grows with the operation.
"""

import sys

import numpy as np

from ternary_sdk import Model, TernaryError
from ternary_sdk.draw import Draw

ROWS = 100


def shares(seed: int, rows: int, parameters: int) -> np.ndarray:
    """Uniform numbers in [0, 1), shape (rows, parameters).

    NumPy keeps the words of a bit generator as they are in every version; of its distributions it does not
    say that. A row's numbers do not depend on how many rows follow.
    """
    words = np.random.Philox(key=seed).random_raw(rows * parameters)
    return (words >> np.uint64(11)).reshape(rows, parameters) * 2.0**-53


def differing(operations: np.ndarray) -> np.ndarray:
    """How many of the 12 pairs of neighbouring cells differ in each 3 × 3 table, shape (n,)."""
    square = operations.reshape(-1, 3, 3)
    rows, columns = square[:, 1:] != square[:, :-1], square[:, :, 1:] != square[:, :, :-1]
    return rows.sum((1, 2)) + columns.sum((1, 2))


def pairs(model: Model, seed: int) -> tuple[Draw, np.ndarray]:
    """Different operations, and for each (threshold, delay in nanoseconds), shape (n, 2)."""
    draw = model.sample(ROWS, unique=True, seed=seed)
    share = shares(seed, len(draw), 2)
    threshold = 0.2 + 0.6 * share[:, 0]
    delay = 2.0 + 0.5 * differing(draw.operations) + share[:, 1]
    return draw, np.stack([threshold, delay], axis=1)


def main(words: list[str]) -> int:
    try:
        seed = int(words[0]) if words else 7
    except ValueError:
        print(f"error: seed: {words[0]!r}, expected an integer", file=sys.stderr)
        return 2
    try:
        with Model.evaluation() as model:
            draw, parameters = pairs(model, seed)
    except TernaryError as refusal:
        print(f"error: {refusal}", file=sys.stderr)
        return 1
    print("index,threshold,delay_ns")
    for index, (threshold, delay) in zip(draw.index, parameters, strict=True):
        print(f"{index},{threshold:.6f},{delay:.6f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
