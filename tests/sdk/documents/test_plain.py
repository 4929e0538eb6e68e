"""JSON of other programs: each member once, each number finite, and every refusal is ours."""

from pathlib import Path

import pytest

from ternary_sdk._internal.documents import plain
from ternary_sdk.errors import FormatError

ROOT = Path(__file__).parents[3]


def test_floats_and_any_layout_are_read() -> None:
    assert plain.decode('{"a": [1, 2.5e-1],\n "b": null}') == {"a": [1, 0.25], "b": None}
    assert plain.decode(b'"\xc3\xa9"') == "é"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"a":1,"b":{"c":1,"d":2,"c":1}}', "member 'c' appears twice"),
        ('{"a":1,"\\u0061":2}', "member 'a' appears twice"),
        ("[NaN]", "NaN is not a number of JSON"),
        ("[-Infinity]", "-Infinity is not a number of JSON"),
        ("[1,\n1_0]", "not JSON at line 2, character 2 (Expecting ',' delimiter)"),
        ("", "not JSON at line 1, character 1 (Expecting value)"),
        ("[" * 100_000, "JSON nested too deeply to be read"),
        ("9" * 5_000, "JSON with an integer that has too many digits"),
        (b"\xff\xff", "not JSON in UTF-8"),
    ],
)
def test_what_python_would_read_or_raise_is_refused(text: str | bytes, sentence: str) -> None:
    with pytest.raises(FormatError) as caught:
        plain.decode(text)
    assert str(caught.value) == sentence


def test_a_repeated_member_among_many_is_found_at_once() -> None:
    names = ",".join(f'"{number}":0' for number in range(100_000))
    with pytest.raises(FormatError, match=r"^member '99999' appears twice$"):
        plain.decode(f'{{{names},"99999":0}}')


def test_no_other_module_reads_json_by_itself() -> None:
    readers = {
        path.relative_to(ROOT).as_posix()
        for folder in ("sdk", "trainer", "export", "LICENSE_SERVER", "cli")
        for path in (ROOT / folder / "src").rglob("*.py")
        if "json.loads(" in (text := path.read_text("utf-8")) or "json.load(" in text
    }
    documents = "sdk/src/ternary_sdk/_internal/documents"
    assert readers == {f"{documents}/plain.py"}  # canonical JSON has a decoder of its own
