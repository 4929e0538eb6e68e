"""
What a package, a run and a model are *of*: a space, the size of its latents, and its paths.
"""

import re
from dataclasses import dataclass
from typing import Final

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import InputError
from ternary_sdk.space import TERNARY_2, Space

__all__ = ["LATENT_SIZES", "MOST_PATHS", "STANDARD", "Signature"]

LATENT_SIZES: Final = range(8, 65, 8)
"""Latent sizes that there are: a row of the latent stream is whole blocks of a cipher, 8 latents each."""

MOST_PATHS: Final = 8
"""The most paths of one model."""

_LETTER: Final = re.compile(r"[A-Z]")


@dataclass(frozen=True, order=True)
class Signature:
    """The shape of a model: what goes into its graphs and what comes out.

    Raises:
        InputError: If the latent size is no multiple of 8 from 8 to 64, or the paths are not 1 to 8 different
            capital letters in ascending order.
    """

    space: Space
    """The operations that it encodes and decodes."""

    latent_size: int
    """Dimensions of a latent, a multiple of 8 from 8 to 64."""

    paths: tuple[str, ...]
    """The letters of its paths, ascending; each is one decoder with or without an encoder."""

    def __post_init__(self) -> None:
        if not isinstance(self.space, Space):
            raise InputError(f"space: {self.space!r}, expected a Space")
        if type(self.latent_size) is not int or self.latent_size not in LATENT_SIZES:
            raise InputError(f"latent size: {self.latent_size!r}, expected a multiple of 8 from 8 to 64")
        if not _are_paths(self.paths):
            raise InputError(
                f"paths: {_shown(self.paths)}, "
                f"expected 1 to {MOST_PATHS} different capital letters in ascending order"
            )

    def to_json(self) -> Json:
        """As documents state it."""
        return {"latent_size": self.latent_size, "paths": list(self.paths), "space": self.space.to_json()}

    def __str__(self) -> str:
        """As sentences name it: ``ternary-2-input, 16 latent dimensions, paths A, B``."""
        word = "path" if len(self.paths) == 1 else "paths"
        return f"{self.space.label}, {self.latent_size} latent dimensions, {word} {', '.join(self.paths)}"


def _shown(paths: object) -> str:
    return repr(paths) if not isinstance(paths, tuple) else ", ".join(map(str, paths)) or "none"


def _are_paths(paths: object) -> bool:
    if not isinstance(paths, tuple):
        return False
    letters = all(isinstance(path, str) and _LETTER.fullmatch(path) for path in paths)
    return letters and 1 <= len(paths) <= MOST_PATHS and list(paths) == sorted(set(paths))


STANDARD: Final = Signature(TERNARY_2, 16, ("A", "B"))
"""Two-input ternary operations in 16 dimensions by two paths: what v5.5 models are of."""
