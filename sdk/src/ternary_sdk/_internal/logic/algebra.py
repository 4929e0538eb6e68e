"""
Laws of an operation as algebra states them: symmetry, associativity, special elements, duals.

Each function takes digits, values counted from 0 at the lowest, shape (n, cells), and gives a mask of shape
(n,).
"""

import numpy as np
import numpy.typing as npt

from ternary_sdk._internal.logic.conditions import Mask
from ternary_sdk._internal.logic.digits import Digits
from ternary_sdk.space import Space

__all__ = ["absorbing", "associative", "commutative", "idempotent", "identity", "self_dual"]


def commutative(digits: Digits, space: Space) -> Mask:
    """The same result for every order of the inputs. Exchanges of neighbours give all orders."""
    cells = np.arange(space.cells).reshape((space.radix,) * space.inputs)
    met = np.ones(len(digits), np.bool_)
    for place in range(space.inputs - 1):
        met &= (digits == digits[:, cells.swapaxes(place, place + 1).reshape(-1)]).all(axis=1)
    return met


def associative(digits: Digits, space: Space) -> Mask:
    """f(f(a, b), c) = f(a, f(b, c)); two inputs."""
    radix, met = space.radix, np.ones(len(digits), np.bool_)
    first = np.repeat(np.arange(radix), radix)
    places = digits.astype(np.intp)
    for last in range(radix):
        left = np.take_along_axis(digits, places * radix + last, axis=1)  # f(f(a, b), last) at cell (a, b)
        inner = np.tile(places[:, last::radix], radix)  # f(b, last) at cell (a, b)
        right = np.take_along_axis(digits, first * radix + inner, axis=1)
        met &= (left == right).all(axis=1)
    return met


def idempotent(digits: Digits, space: Space) -> Mask:
    """f(x, …, x) = x."""
    step = sum(space.radix**place for place in range(space.inputs))
    met: Mask = (digits[:, ::step] == np.arange(space.radix)).all(axis=1)
    return met


def identity(digits: Digits, space: Space) -> Mask:
    """Some e with f(e, x) = x = f(x, e); two inputs."""
    return _has_element(digits, space, np.arange(space.radix)[:, None] + np.zeros(space.radix, np.intp))


def absorbing(digits: Digits, space: Space) -> Mask:
    """Some z with f(z, x) = z = f(x, z); two inputs."""
    return _has_element(digits, space, np.arange(space.radix)[None, :] + np.zeros((space.radix, 1), np.intp))


def _has_element(digits: Digits, space: Space, expected: npt.NDArray[np.intp]) -> Mask:
    """Whether row e and column e both are ``expected[:, e]`` for some e."""
    squares = digits.reshape(-1, space.radix, space.radix)
    rows = (squares == expected.T).all(axis=2)
    columns = (squares == expected).all(axis=1)
    met: Mask = (rows & columns).any(axis=1)
    return met


def self_dual(digits: Digits, space: Space) -> Mask:
    """f(¬x, …) = ¬f(x, …), where ¬ mirrors the order of the values."""
    mirrored = digits[:, ::-1]  # the inputs of the last cell are those of the first, mirrored
    met: Mask = (mirrored == space.radix - 1 - digits).all(axis=1)
    return met
