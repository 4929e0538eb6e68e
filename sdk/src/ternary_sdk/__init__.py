"""
Ternary logic operations from a licensed model, with coverage that anyone can recompute.

    from ternary_sdk import Model

    with Model.evaluation() as model:
        draw = model.sample(1000, unique=True, seed=7)

``Model`` and ``Draw`` are imported when first asked for, so that a program which only numbers operations or
reads a license does not load ONNX Runtime.
"""

from typing import TYPE_CHECKING

from ternary_sdk._internal.release import VERSION
from ternary_sdk.errors import (
    CodedError,
    CoverageError,
    FormatError,
    InputError,
    LedgerError,
    LicenseError,
    ProofError,
    Reason,
    ServerError,
    SignatureError,
    TernaryError,
)

if TYPE_CHECKING:
    from ternary_sdk.draw import Draw
    from ternary_sdk.model import Model

__version__ = VERSION

__all__ = [
    "CodedError",
    "CoverageError",
    "Draw",
    "FormatError",
    "InputError",
    "LedgerError",
    "LicenseError",
    "Model",
    "ProofError",
    "Reason",
    "ServerError",
    "SignatureError",
    "TernaryError",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "Model":
        from ternary_sdk.model import Model

        return Model
    if name == "Draw":
        from ternary_sdk.draw import Draw

        return Draw
    raise AttributeError(f"module 'ternary_sdk' has no attribute {name!r}")
