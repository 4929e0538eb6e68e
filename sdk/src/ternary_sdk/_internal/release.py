"""
Which release of the distributions this is, all five having the same, and what it computes with.
"""

from functools import cache
from typing import Final

VERSION: Final = "0.1.0"


@cache
def computed_with() -> tuple[tuple[str, str], ...]:
    """The distributions that computed figures may depend on, and their versions here.

    Under other versions other draws may be near ties, so the files of one count must not mix them.
    """
    from importlib.metadata import version

    return ("ternary-sdk", VERSION), *((name, version(name)) for name in ("numpy", "onnxruntime"))
