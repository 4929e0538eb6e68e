"""What a loop does without a model of (3, 2): list the operations, or draw them; beside `sample`."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from benchmarks.measurement import Measurement, best_of
from ternary_sdk import Model
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk.coverage import headline_draws
from ternary_sdk.operations import to_index
from ternary_sdk.space import TERNARY_2

_ROWS = 1_000_000
_TRIES = 200


def measurements() -> Iterator[Measurement]:
    """List, draw by NumPy, draw by the evaluation package."""
    seconds = best_of(lambda: list(product(TERNARY_2.values, repeat=TERNARY_2.cells)), 9)
    yield Measurement(name="itertools.product lists all operations", value=1e3 * seconds, unit="ms")
    random = np.random.default_rng(1)
    seconds = best_of(lambda: _uniform(random, _ROWS), 9)
    yield Measurement(name="NumPy draws uniform tables, one core", value=_ROWS / seconds / 1e6, unit="M/s")
    yield _covered(random)
    with Model.evaluation() as model:
        seconds = best_of(lambda: model.sample(_ROWS, seed=1), 5)
    detail = f"with their latents, on {usable_cores()} cores"
    yield Measurement(
        name="Model.sample, default path", value=_ROWS / seconds / 1e6, unit="M/s", detail=detail
    )


def _uniform(random: np.random.Generator, rows: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return random.integers(-1, 2, (rows, TERNARY_2.cells))


def _covered(random: np.random.Generator) -> Measurement:
    draws = headline_draws(TERNARY_2)
    counts = [np.unique(to_index(_uniform(random, draws).astype(np.int8))).size for _ in range(_TRIES)]
    shares = 100 * np.array(counts) / TERNARY_2.size
    detail = f"mean of {_TRIES} tries of {draws:,} draws, deviation {shares.std(ddof=1):.2f}"
    share = float(shares.mean())
    return Measurement(name="NumPy's uniform tables cover", value=share, unit="percent", detail=detail)
