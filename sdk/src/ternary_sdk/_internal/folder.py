"""
Writing a folder that appears whole or not at all, such as an unpacked package.
"""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from ternary_sdk.errors import InputError


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files into a folder that does not exist yet; folders above it are made where they are missing.

    Args:
        files: Contents by flat name.
        folder: The folder to make.
    Raises:
        InputError: If the folder exists or cannot be written; nothing is left of it then.
    """
    try:
        if folder.exists():
            raise InputError(f"{folder}: exists already, expected a folder that does not")
        if not folder.parent.exists():
            folder.parent.mkdir(parents=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as draft:
            content = Path(draft) / "content"
            content.mkdir()
            for name, data in files.items():
                (content / name).write_bytes(data)
            content.rename(folder)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror})") from None
