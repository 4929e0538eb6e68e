"""
How closely the exported graphs follow the network they were exported from, over every operation there is.

The comparison is between torch and ONNX Runtime on the same inputs: all 19,683 truth tables for the encoder,
their posterior means for the decoder. A graph that computes something else must never be certified.
"""

from decimal import ROUND_UP, Decimal
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from ternary_export.provenance import Parity
from ternary_sdk._internal.certificates.path_coverage import MARGIN
from ternary_sdk._internal.inference.runtime import Decoder, Encoder
from ternary_sdk.errors import ProofError
from ternary_sdk.operations import OPERATIONS, TABLES, to_index
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
    means, logits = _reference(model, path)
    mean_gap = float(np.abs(encoder.mean(TABLES) - means).max())
    found = decoder.logits(means)
    logit_gap = float(np.abs(found - logits).max())
    for name, what, gap in ((encoder.what, "means", mean_gap), (decoder.what, "logits", logit_gap)):
        if not gap <= TOLERANCE:
            raise ProofError(
                f"{name}: its {what} differ from the network's by {gap:.2e}, at most {TOLERANCE}"
            )
    differs = decoder.index(means) != to_index(logits.argmax(axis=2) - 1)
    clear = _margin(logits) >= MARGIN
    if (differs & clear).any():
        first = int(np.argmax(differs & clear))
        raise ProofError(f"{decoder.what}: decodes the mean of operation {first} to another than the network")
    return Parity(
        path=path, mean=_upper(mean_gap), logits=_upper(logit_gap), operations=OPERATIONS - int(differs.sum())
    )


def _reference(model: TernaryVAE, path: str) -> tuple[Floats, Floats]:
    """Posterior means (19683, 16) and the logits at them (19683, 9, 3), as torch computes them."""
    with torch.inference_mode():
        means, _ = model.encoder(path)(torch.from_numpy(TABLES.astype(np.float32)))
        logits = model.decoder(path)(means).reshape(OPERATIONS, -1, 3)
    return means.numpy(), logits.numpy()


def _upper(difference: float) -> str:
    """A largest difference with nine decimals, never less than it is."""
    return f"{Decimal(difference).quantize(Decimal('1e-9'), rounding=ROUND_UP):f}"


def _margin(logits: Floats) -> Floats:
    ordered = np.sort(logits, axis=2)
    margins: Floats = (ordered[:, :, 2] - ordered[:, :, 1]).min(axis=1)
    return margins
