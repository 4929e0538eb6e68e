"""
Naming the Python files that a training runs, before it does.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ternary_trainer.settings import Recipe


def name_hooks(recipes: Iterable["Recipe"]) -> None:
    """Print the file of each recipe's loss hook and its SHA-256 on standard error, each once."""
    from ternary_cli.terminal import note

    for hook in dict.fromkeys(recipe.hook for recipe in recipes if recipe.hook):
        note(f"{hook.file}: a term of the loss, run as code (sha256 {hook.sha256})")
