"""
Which characters a signed text may hold, so that people read what was signed and nothing else.

The rule names code points, not properties of the Unicode data that a Python happens to have: every reader, in
any language and of any year, accepts the same documents. docs/formats.md, section 2, states it.
"""

import re
from functools import cache
from typing import Final

_CONTROL: Final = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE: Final = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    r"\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, line separators, annotations, and two symbols that are blank."""
_UNDEFINED: Final = r"\ud800-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U000f0000-\U0010ffff" + "".join(
    rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(1, 15)
)
"""Surrogates, private use, and code points that are not characters."""
_HIDDEN: Final = f"{_CONTROL}{_INVISIBLE}{_UNDEFINED}"
_NOT_IN_A_NAME: Final = re.compile(r"[\t\n\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]")
"""What parts or spaces words in a text, but cannot be told from one space, or none, in a name."""

_SELECTORS: Final = "\ufe0e\ufe0f"
_JOINER: Final = "\u200d"
_JOINERS: Final = "\u200c\u200d"
_KEYCAP: Final = "\u20e3"
_KEYS: Final = re.compile("[0-9#*]")
_SYMBOL: Final = (
    r"\xa9\xae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    r"\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_JOINED_SCRIPT: Final = r"\u0600-\u0dff\u1000-\u109f\u1780-\u18af"
"""Letters whose shapes joiners choose: from Arabic to Sinhala, Myanmar, Khmer and Mongolian."""


@cache
def _any_of(characters: str) -> re.Pattern[str]:
    # Compiled when first used: a set over all of Unicode takes milliseconds, and few texts need one.
    return re.compile(f"[{characters}]")


def _may_hide(text: str) -> str:
    """The characters to look for: a text of ASCII alone hides only control characters."""
    return _CONTROL if text.isascii() else _HIDDEN


def hidden(text: str) -> int | None:
    """The position of the first character that nobody sees, or that turns the text's direction round.

    Control characters but tab and line feed, invisible and direction characters, and code points without a
    meaning. A variation selector after a symbol, a joiner between two symbols, and one between two letters of
    a script whose shapes it chooses are what they seem.
    """
    found = _any_of(_may_hide(text)).finditer(text)
    return next((at for at in map(re.Match.start, found) if not _belongs(text, at)), None)


def is_line(text: str) -> bool:
    """Whether it can stand as a name: nothing hidden, one line, and no space but U+0020."""
    return hidden(text) is None and not _NOT_IN_A_NAME.search(text)


def is_name(text: str, longest: int) -> bool:
    """Whether it is a line of 1 to ``longest`` characters, not all of them blank."""
    return len(text) <= longest and bool(text.strip()) and is_line(text)


def shown(text: str) -> str:
    """The same text for a message, with escapes in place of tabs, line feeds and what is hidden."""
    return _any_of(rf"\t\n{_may_hide(text)}").sub(
        lambda found: found[0] if _belongs(text, found.start()) else _escaped(found[0]), text
    )


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode()


def _belongs(text: str, at: int) -> bool:
    """Whether a hidden character does its proper work between its neighbours."""
    one, before, after = text[at], text[max(0, at - 1) : at], text[at + 1 : at + 2]
    symbol, letter, hidden = map(_any_of, (_SYMBOL, _JOINED_SCRIPT, _HIDDEN))
    if one in _SELECTORS:
        return bool(symbol.match(before) or (_KEYS.match(before) and after == _KEYCAP))
    if one == _JOINER and symbol.match(after):
        return bool(symbol.match(before) or (before and before in _SELECTORS and _belongs(text, at - 1)))
    return one in _JOINERS and all(letter.match(each) and not hidden.match(each) for each in (before, after))
