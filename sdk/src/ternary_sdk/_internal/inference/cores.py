"""
How many cores a program should use.
"""

import os


def usable_cores() -> int:
    """How many cores this process may run on: its affinity, not the machine's count."""
    if hasattr(os, "sched_getaffinity"):  # macOS and Windows have none
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)
