"""
The normal quantiles that random words stand for; their table is pinned by its digest.
"""

import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt

from ternary_sdk.errors import FormatError

TABLE_SHA256: Final = "1cfbba1e07e34386a57626f82aeb43e6ed54ba70a3ea6b7d964dc66a841074a8"
"""Of the 65,536 normal quantiles as little-endian float32."""


@cache
def quantiles() -> npt.NDArray[np.float32]:
    """The table of 65,536 normal quantiles: entry u is the float32 nearest to Φ⁻¹((u + ½)/65536).

    Raises:
        FormatError: If the installed file is not the pinned one.
    """
    data = files("ternary_sdk").joinpath("data", "normal_quantiles.f32").read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != TABLE_SHA256:
        raise FormatError(
            f"normal_quantiles.f32: sha256 is {found}, expected {TABLE_SHA256}; reinstall ternary-sdk"
        )
    return np.frombuffer(data, dtype="<f4")
