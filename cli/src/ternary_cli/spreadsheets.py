"""
Names and notes of others in a CSV that people open in a spreadsheet, which runs a cell such as ``=1+1``.

An apostrophe keeps such a cell text (CWE-1236). A spreadsheet set to a country whose lists are separated by
semicolons splits cells at those too, so what follows one is looked at as well. JSON has names as they are.
"""

import re
from typing import Final

_FORMULA: Final = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=[=+\-@＝＋－＠])|\A(?=[\t\r\n\0])")


def as_text(cell: str) -> str:
    """A cell that a spreadsheet takes for text: with an apostrophe before whatever would be a formula."""
    return _FORMULA.sub("'", cell)
