import re
from pathlib import Path

from ternary_sdk.errors import Reason

DOCUMENT = Path(__file__).parents[2] / "docs" / "licensing.md"


def test_documented_precedence_is_the_one_in_the_code() -> None:
    table = DOCUMENT.read_text("utf-8").split("## Reason codes")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([A-Z_]+)`", table, re.M) == [str(reason) for reason in Reason]
