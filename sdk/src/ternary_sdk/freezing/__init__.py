"""
For programs that PyInstaller freezes: where its hook for this package lies.

PyInstaller finds the function below through the entry point ``pyinstaller40``. It follows imports by itself.
It does not see files that are not modules, such as the evaluation package: the hook names those.
"""

from pathlib import Path


def hook_dirs() -> list[str]:
    """The folder of ``hook-ternary_sdk.py``."""
    return [str(Path(__file__).parent)]
