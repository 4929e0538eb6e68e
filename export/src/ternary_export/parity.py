"""
How closely the exported graphs follow the network they were exported from, over every operation there is.

The comparison is between torch and ONNX Runtime on the same inputs: all truth tables for the encoder, or a
sample of them in a vast space, and their posterior means for the decoder. A graph that computes something
else must never be certified.
"""

from decimal import ROUND_UP, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ternary_export import sample
from ternary_export.provenance import Parity
from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, margin_of
from ternary_sdk.errors import ProofError
from ternary_sdk.space import Space, Tables
from ternary_trainer.model import TernaryVAE

TOLERANCE: Final = 1e-4
"""The largest difference allowed; a verifier allows for 3e-5 between machines, and its margin is 5e-4."""

Floats = npt.NDArray[np.float32]


def measure(model: TernaryVAE, path: str, encoder: Encoder, decoder: Decoder) -> Parity:
    """Compare one path of a network with its graphs.

    Args:
        model: The network, in evaluation mode.
        path: The path's letter.
        encoder: The exported encoder.
        decoder: The exported decoder.
    Raises:
        ProofError: If a mean or a logit differs by more than 1e-4, or an operation decodes differently
            although its margin is at least 0.001.
    """
    space = decoder.space
    tables = sample.compared(space)
    means, logits = _reference(model, path, tables, space)
    mean_gap = float(np.abs(encoder.mean(tables) - means).max())
    found = decoder.logits(means)
    logit_gap = float(np.abs(found - logits).max())
    for name, what, gap in ((encoder.what, "means", mean_gap), (decoder.what, "logits", logit_gap)):
        if not gap <= TOLERANCE:
            raise ProofError(
                f"{name}: its {what} differ from the network's by {gap:.2e}, at most {TOLERANCE}"
            )
    differs = decoder.index(means) != space.to_index(logits.argmax(axis=2) + space.lowest)
    clear = margin_of(logits.transpose(2, 1, 0)) >= MARGIN
    if (differs & clear).any():
        first = int(np.argmax(differs & clear))
        operation = int(space.to_index(tables[first : first + 1])[0])
        raise ProofError(
            f"{decoder.what}: decodes the mean of operation {operation} to another than the network"
        )
    return Parity(
        path=path,
        mean=_upper(mean_gap),
        logits=_upper(logit_gap),
        operations=len(tables) - int(differs.sum()),
        sampled=None if space.listed else len(tables),
    )


def _reference(model: TernaryVAE, path: str, tables: Tables, space: Space) -> tuple[Floats, Floats]:
    """Posterior means (n, latent_size) and logits at them (n, cells, radix), as torch computes them."""
    with torch.inference_mode():
        means, _ = model.encoder(path)(torch.from_numpy(tables.astype(np.float32)))
        logits = model.decoder(path)(means).reshape(len(tables), space.cells, space.radix)
    return means.numpy(), logits.numpy()


def _upper(difference: float) -> str:
    """A largest difference with nine decimals, never less than it is."""
    return f"{Decimal(difference).quantize(Decimal('1e-9'), rounding=ROUND_UP):f}"
