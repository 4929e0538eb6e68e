"""
How our distributions are installed: from files, each named by its path.

No distribution of ours is on a package index, and whoever uploads one of our names there could be installed
in our place: pip prefers a higher build of the same version, also to a folder that ``--find-links`` names. It
never looks on an index for a wheel that is named by its path. So whatever says what to install, says it here.
"""

from typing import Final

from ternary_sdk._internal.release import VERSION

FOLDER: Final = "wheels"
"""The folder that ``make wheels`` fills and a vendor sends, as sentences name it."""

_BROUGHT: Final = {
    ("ternary-cli", "vendor"): ("ternary-trainer", "ternary-export", "ternary-license-server"),
    ("ternary-cli", "server"): ("ternary-license-server",),
}
"""Distributions of ours that an extra brings and a plain installation lacks."""


def file_of(distribution: str) -> str:
    """The name of a distribution's wheel in this release, as in ``ternary_sdk-0.1.0-py3-none-any.whl``."""
    return f"{distribution.replace('-', '_')}-{VERSION}-py3-none-any.whl"


def pip_install(distribution: str, extra: str = "") -> str:
    """The command that installs a distribution of ours, or an extra of one that is installed.

    Args:
        distribution: Such as ``ternary-trainer``.
        extra: One of its extras, such as ``report``; none if left out.
    Returns:
        A command to type beside the folder of wheels, and where that folder comes from.
    """
    paths = [f"{FOLDER}/{file_of(name)}" for name in (distribution, *_BROUGHT.get((distribution, extra), ()))]
    if extra:
        paths[0] = f"'{paths[0]}[{extra}]'"
    return f"pip install {' '.join(paths)} ({FOLDER}: what 'make wheels' made, or your vendor sent)"
