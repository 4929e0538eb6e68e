"""What a predictor may see of an operation."""

from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ternary_sdk import Model
from ternary_sdk.signature import STANDARD
from ternary_sdk.space import TERNARY_2, Tables
from ternary_trainer.model import initial

Floats = npt.NDArray[np.float64]

CELLS: Final = "cells, one-hot"
TRITS: Final = "cells, trits"
RANDOM: Final = "random features"
UNTRAINED: Final = "untrained encoder"
BOTH: Final = "one-hot and latents A"
SETS: Final = ("latents A", "latents B", CELLS, TRITS, RANDOM, UNTRAINED, BOTH)
_HIDDEN: Final = 256


def one_hot(tables: Tables) -> Floats:
    """Shape (n, 9) to (n, 27)."""
    columns: Floats = (tables[:, :, None] == np.array([-1, 0, 1])).reshape(len(tables), -1).astype(np.float64)
    return columns


def random_features(tables: Tables, seed: int) -> Floats:
    """As many as latents: 256 random tanh units of the one-hot cells, mixed into 16; shape (n, 16)."""
    random = np.random.default_rng(seed)
    cells = one_hot(tables)
    hidden = np.tanh(cells @ random.normal(0, 9**-0.5, (cells.shape[1], _HIDDEN)))
    mixed: Floats = hidden @ random.normal(0, _HIDDEN**-0.5, (_HIDDEN, STANDARD.latent_size))
    return mixed


def untrained(tables: Tables, seed: int) -> Floats:
    """Posterior means of the first encoder of a model that was never trained, shape (n, 16)."""
    with torch.no_grad():
        means, _ = initial(seed).encoder("A")(torch.from_numpy(tables.astype(np.float32)))
    return means.double().numpy()


def latents(model: Model) -> dict[str, Floats]:
    """Posterior means of all 19,683 operations, for each path, shape (19683, 16)."""
    return {
        f"latents {path}": model.encode(TERNARY_2.tables, path=path).astype(np.float64) for path in ("A", "B")
    }


def feature_set(name: str, means: dict[str, Floats], seed: int) -> Floats:
    """One of ``SETS`` for all operations, each column of mean 0 and variance 1, shape (19683, d).

    Args:
        name: Its name.
        means: What ``latents`` gives.
        seed: Of the random features and the untrained encoder.
    """
    columns = _columns(name, means, seed)
    centred: Floats = columns - columns.mean(0)
    scaled: Floats = centred / np.maximum(centred.std(0), 1e-12)
    return scaled


def _columns(name: str, means: dict[str, Floats], seed: int) -> Floats:
    tables = TERNARY_2.tables
    if name in means:
        return means[name]
    if name == RANDOM:
        return random_features(tables, seed)
    if name == UNTRAINED:
        return untrained(tables, seed)
    if name == TRITS:
        return tables.astype(np.float64)
    return one_hot(tables) if name == CELLS else np.hstack([one_hot(tables), means["latents A"]])
