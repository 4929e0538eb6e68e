import sys
import unicodedata

import pytest

from ternary_sdk._internal.documents import legible

SHOWN_THOUGH_FORMATS = {
    *range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD, *range(0x13430, 0x13440),
}  # fmt: skip
"""Arabic, Syriac and Kaithi number signs and hieroglyph joiners have a shape of their own."""
IGNORABLE = (
    0xAD,
    0x34F,
    0x61C,
    0x115F,
    0x17B4,
    0x180B,
    0x200B,
    0x202E,
    0x2066,
    0x3164,
    0xFE0F,
    0xFEFF,
    0xFFA0,
)
TAGS = (*range(0xE0000, 0xE0080), *range(0xE0100, 0xE01F0))


def test_no_code_point_that_unicode_calls_a_format_or_control_passes_alone() -> None:
    """Python's own data as the oracle, in whatever version it is here."""
    passed = {
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        and legible.hidden(chr(code)) is None
    }
    assert passed - SHOWN_THOUGH_FORMATS == {ord("\t"), ord("\n")}


@pytest.mark.parametrize("code", [*IGNORABLE, *TAGS[::40], 0x2800, 0x1D159, 0xFFFE, 0x1FFFF, 0xFDD0], ids=hex)
def test_hidden_character_is_found_wherever_it_stands_in_a_word(code: int) -> None:
    for at in range(9):
        text = "Initech, Inc."[:at] + chr(code) + "Initech, Inc."[at:]
        assert legible.hidden(text) == at
        assert not legible.is_name(text, 200)
        assert legible.shown(text) == text.replace(chr(code), chr(code).encode("unicode_escape").decode())


NAMES = [
    "Initech, Inc.", "Café Zürich", "株式会社テスト", "شركة المنطق", "חברת לוגיקה", "ООО «Логика»", "ตรรกะ",
    "می\u200cخواهم", "क्\u200dष", "ക്\u200dഷ", "⚠\ufe0f caution", "❤\ufe0e", "1\ufe0f\u20e3", "👩\u200d💻",
    "🏳\ufe0f\u200d🌈", "👍🏽", "e\u0301", "\u0378", "\U0001fae9",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_name_in_any_script_is_accepted_and_shown_as_it_is(name: str) -> None:
    assert legible.is_name(name, 200)
    assert legible.shown(name) == name


@pytest.mark.parametrize(
    "text",
    [
        "a\ufe0f", "1\ufe0f", "⚠\ufe0f\ufe0f", "a\u200cb",
        "می\u200c", "\u200d💻", "👩\u200d", "م\u200c\u200cم", "\ufe0f\u200d💻"
    ],
)  # fmt: skip
def test_joiner_or_selector_that_has_nothing_to_do_is_hidden(text: str) -> None:
    assert legible.hidden(text) is not None


def test_tab_line_feed_and_wide_spaces_are_text_and_no_name() -> None:
    for space in "\t\n\xa0\u2003\u202f\u3000":
        assert legible.hidden(f"a{space}b") is None
        assert not legible.is_line(f"a{space}b")


def test_name_has_bounds() -> None:
    assert [legible.is_name(name, 3) for name in ("", "  ", "abc", "abcd")] == [False, False, True, False]


def test_lines_are_escaped_for_messages() -> None:
    assert legible.shown("a\tb\nc\x1b[2J\udcff") == r"a\tb\nc\x1b[2J\udcff"
