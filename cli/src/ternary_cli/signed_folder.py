"""
``ternary verify FOLDER``: an unpacked package, or any folder that a Model Signing tool signed.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from ternary_cli.selection import select_trust
from ternary_cli.terminal import not_proved_line, show, show_json
from ternary_sdk._internal.packages import signed_folder
from ternary_sdk.errors import FormatError, SignatureError

_NOT_PROVED: Final = "anything of the model; 'ternary verify FILE.ternary' proves a package's certificate"


def verify_folder(folder: Path, trust: Path | None, state: Path | None, *, as_json: bool) -> None:
    """Verify the signature of a folder's files, and say what that is not.

    Raises:
        InputError: If there is no trust file, or something cannot be read.
        TernaryError: If the folder does not hold what the vendor signed.
    """
    trusted = select_trust(trust, state=state)
    try:
        found = signed_folder.verify(folder, trusted, datetime.now(UTC))
    except (FormatError, SignatureError) as refusal:
        raise type(refusal)(f"{folder}: {refusal}") from None
    if as_json:
        facts = {"verified": True, "model": found.model, "vendor": trusted.vendor, "root": trusted.root.kid}
        counts = {"files": found.files, "bytes": found.size, "ignored": list(found.ignored)}
        show_json(facts | {"key": found.signed_by, **counts, "not_proved": [_NOT_PROVED]})
        return
    files = "1 file" if found.files == 1 else f"{found.files:,} files"
    show(
        [
            f"{folder} is {found.model} as {trusted.vendor} signed it (root {trusted.root.kid})",
            f"{files}, {found.size:,} bytes, verified with key {found.signed_by}",
            *(f"not covered by the signature: {name}" for name in found.ignored),
            not_proved_line(_NOT_PROVED),
        ]
    )
