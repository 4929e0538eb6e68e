"""
How far honest clocks differ, and when a moment is certainly not reached yet.

A license that has not begun, a clock that was turned back and a server's answer are judged by this one
tolerance. A wider one lengthens every license; a narrower one refuses honest machines.
"""

from datetime import datetime, timedelta
from typing import Final

TOLERANCE: Final = timedelta(minutes=5)
"""How far two honest clocks may differ, and how far an honest one is set back."""


def lies_ahead(moment: datetime, *, of: datetime) -> bool:
    """Whether a moment is later than a clock says by more than honest clocks differ.

    Args:
        moment: Timezone-aware.
        of: What the clock says, timezone-aware.
    """
    return of < moment - TOLERANCE
