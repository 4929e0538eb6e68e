"""
Which release of the distributions this is; all five have the same.
"""

from typing import Final

VERSION: Final = "0.1.0"
