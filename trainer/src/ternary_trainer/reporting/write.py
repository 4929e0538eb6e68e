"""
Writing a report: both forms at once, so that neither says what the other does not.
"""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from ternary_sdk._internal import whole_file
from ternary_sdk._internal.wheels import pip_install
from ternary_sdk.errors import InputError
from ternary_trainer.reporting.content import AnyContent
from ternary_trainer.reporting.page import to_html
from ternary_trainer.reporting.paper import to_pdf

PAGE = "report.html"
PAPER = "report.pdf"
_NEEDED = ("matplotlib", "fpdf", "jinja2")


def write(content: AnyContent, folder: Path) -> str:
    """Write `report.html` and `report.pdf`, replacing older ones.

    Returns:
        SHA-256 of the page, hex: by it a verdict names the report.
    Raises:
        InputError: If what draws them is not installed, or a file cannot be written.
    """
    check_installed()
    page, paper = to_html(content), to_pdf(content)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        whole_file.write(folder / PAGE, page)
        whole_file.write(folder / PAPER, paper)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror})") from None
    return hashlib.sha256(page).hexdigest()


def check_installed() -> None:
    """Refuse before anything is computed if a report could not be drawn.

    Raises:
        InputError: Saying what to install.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            raise InputError(f"{name} is not installed; run: {pip_install('ternary-trainer', 'report')}")
