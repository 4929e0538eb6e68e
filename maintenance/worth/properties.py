"""
Properties of two-input ternary operations, each straight from its definition.

Tables are t[3·(a + 1) + (b + 1)] = f(a, b), so rows of the square are of equal a and columns of equal b.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ternary_sdk.space import Tables

Mask = npt.NDArray[np.bool_]


def properties(tables: Tables) -> Mapping[str, Mask]:
    """Which operations have each property.

    Args:
        tables: Trits, shape (n, 9).
    Returns:
        For each property a mask, shape (n,).
    """
    square = tables.reshape(-1, 3, 3)
    over_a, over_b = np.diff(square, axis=1), np.diff(square, axis=2)
    counts = (tables[:, :, None] == np.array([-1, 0, 1])).sum(axis=1)
    unary = (over_a == 0).all(axis=(1, 2)) | (over_b == 0).all(axis=(1, 2))
    return {
        "commutative": (square == square.transpose(0, 2, 1)).all(axis=(1, 2)),
        "balanced": (counts == 3).all(axis=1),
        "monotone": np.logical_and((over_a >= 0).all(axis=(1, 2)), (over_b >= 0).all(axis=(1, 2))),
        "associative": _associative(tables),
        "surjective": (counts > 0).all(axis=1),
        "essentially unary": unary,
        "self-dual": (-tables[:, ::-1] == tables).all(axis=1),
        "idempotent": (np.diagonal(square, axis1=1, axis2=2) == [-1, 0, 1]).all(axis=1),
    }


def _associative(tables: Tables) -> Mask:
    """f(f(a, b), c) = f(a, f(b, c)) for all 27 triples; constants are associative."""
    digits = tables.astype(np.intp) + 1
    rows = np.arange(len(digits))
    good = np.ones(len(digits), np.bool_)
    for a, b, c in np.ndindex(3, 3, 3):
        left = digits[rows, 3 * digits[:, 3 * a + b] + c]
        right = digits[rows, 3 * a + digits[:, 3 * b + c]]
        good &= left == right
    return good
