"""
One number stream for each purpose, all from the run's seed.

Torch's Mersenne Twister is keyed by the first 8 bytes of SHA-256 over a label, the purpose and the seed, so
training, validation and initial weights never share a stream. Certificates draw from another generator
altogether (AES in counter mode, through a table, `ternary_sdk._internal.streams.stream`) under another label.
Renaming a purpose changes every trained model.
"""

import hashlib

import torch

from ternary_sdk.errors import InputError

_LABEL = "ternary-training-v1"


def derive(seed: int, purpose: str) -> int:
    """A 63-bit key for one purpose.

    Raises:
        InputError: If the seed is not in [0, 2^63).
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"seed: {seed}, expected 0 to 2^63 - 1")
    digest = hashlib.sha256(f"{_LABEL}/{purpose}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def go_on(stream: torch.Generator, state: torch.Tensor, seed: int, moved: str) -> None:
    """Put a stream back to where it was, or begin a new one where it cannot be.

    Args:
        stream: The one to change.
        state: As `get_state` gave it.
        seed: The run's.
        moved: The new one's purpose, if the state is of another kind of device; else empty.
    """
    if moved:
        stream.manual_seed(derive(seed, moved))
    else:
        stream.set_state(state)


def generator(seed: int, purpose: str, device: torch.device | None = None) -> torch.Generator:
    """A fresh generator for one purpose, on the device where its numbers are needed."""
    return torch.Generator(device or torch.device("cpu")).manual_seed(derive(seed, purpose))
