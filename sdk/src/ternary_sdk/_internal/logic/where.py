"""
Conditions as text: what ``--where`` reads, and ``str`` of a condition writes.

    either    both {("|" | "or") both}
    both      negated {("&" | "and") negated}
    negated   {"~" | "!" | "not"} single
    single    "(" either ")" | PROPERTY | "preserves" "(" VALUES ")" | "reversible" "(" INPUT ")"
              | "like" "(" TABLE ")"
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from ternary_sdk._internal.logic.arguments import preserves, reversible
from ternary_sdk._internal.logic.conditions import Condition
from ternary_sdk._internal.logic.partial import Partial
from ternary_sdk._internal.logic.properties import PROPERTIES
from ternary_sdk._internal.logic.tokens import Tokens
from ternary_sdk.errors import InputError
from ternary_sdk.space import Space

__all__ = ["parse_condition"]

_MOST_CHARACTERS: Final = 4_000
_MOST_SINGLE: Final = 100
"""So many conditions are evaluated and written without much recursion."""
_DEEPEST: Final = 50

_OR: Final = ("|", "or")
_AND: Final = ("&", "and")
_NOT: Final = ("~", "!", "not")
_NAMED: Final[Mapping[str, Condition]] = {
    name: each for each in PROPERTIES.values() for name in (each.name, *each.aliases)
}
_WITH_ARGUMENT: Final = ("preserves", "reversible", "like")


def parse_condition(text: str, space: Space | None = None) -> Condition:
    """Read a condition, such as ``commutative & not (monotone | preserves({-1,1}))``.

    Upper and lower case mean the same, and so do ``self-dual`` and ``self_dual``.

    Args:
        text: The condition.
        space: What it is to be a condition of, if that is known. A partial table, ``like(…)``, needs it.
    Returns:
        What ``str`` writes as text that is read as an equal condition.
    Raises:
        InputError: If it is no condition, or means nothing in the space. Positions count characters from 1.
    """
    if len(text) > _MOST_CHARACTERS:
        raise InputError(f"condition: {len(text):,} characters, expected at most {_MOST_CHARACTERS:,}")
    condition = _Reader(Tokens(text), space).whole()
    if space is not None:
        condition.check(space)
    return condition


@dataclass
class _Reader:
    """The grammar: one method for each of its rules."""

    tokens: Tokens
    space: Space | None
    deep: int = 0
    """Parentheses and negations that are open."""
    many: int = 0
    """Conditions without parts so far."""

    def whole(self) -> Condition:
        condition = self.either()
        if self.tokens.next:
            raise self.tokens.refusal("'&', '|' or the end")
        return condition

    def either(self) -> Condition:
        condition = self.both()
        while self.tokens.takes(*_OR):
            condition = condition | self.both()
        return condition

    def both(self) -> Condition:
        condition = self.negated()
        while self.tokens.takes(*_AND):
            condition = condition & self.negated()
        return condition

    def negated(self) -> Condition:
        if self.tokens.takes(*_NOT):
            return ~self.inner(self.negated)
        if self.tokens.takes("("):
            condition = self.inner(self.either)
            self.tokens.expect(")")
            return condition
        return self.single()

    def inner(self, rule: Callable[[], Condition]) -> Condition:
        self.deep += 1
        if self.deep > _DEEPEST:
            raise InputError(f"condition: nested more than {_DEEPEST} deep, expected at most that")
        condition = rule()
        self.deep -= 1
        return condition

    def single(self) -> Condition:
        word = self.tokens.word
        if not word[:1].isalpha() or word in (*_OR, *_AND):
            raise self.tokens.refusal("a property, 'not' or '('")
        self.many += 1
        if self.many > _MOST_SINGLE:
            raise InputError(f"condition: more than {_MOST_SINGLE} properties, expected at most that many")
        if word in _NAMED:
            return self.named(word)
        if word not in _WITH_ARGUMENT:
            raise InputError(f"condition: {self.tokens.found} is not a property{_hint(word)}")
        self.tokens.take()
        self.tokens.expect("(")
        return self.with_argument(word)

    def named(self, word: str) -> Condition:
        self.tokens.take()
        if self.tokens.next == "(":
            raise self.tokens.refusal(f"'&', '|' or the end, because {word} takes no argument")
        return _NAMED[word]

    def with_argument(self, word: str) -> Condition:
        if word == "like":
            return self.table(self.tokens.until(")"))
        condition: Condition
        if word == "reversible":
            condition = reversible(self.tokens.number("the number of an input, from 1"))
        else:
            condition = preserves(*self.values())
        self.tokens.expect(")")
        return condition

    def values(self) -> list[int]:
        braced = self.tokens.takes("{")
        values = [self.tokens.number("a value")]
        while self.tokens.takes(","):
            values.append(self.tokens.number("a value"))
        if braced:
            self.tokens.expect("}")
        return values

    def table(self, text: str) -> Condition:
        if self.space is None:
            raise InputError("condition: like(…) is a table, which means nothing without a space")
        return Partial.parse(text, self.space)


def _hint(name: str) -> str:
    """The nearest names, and all of them."""
    near = get_close_matches(name, [*_NAMED, *_WITH_ARGUMENT], n=1)
    question = f"; did you mean {near[0]!r}?" if near else "."
    return f"{question} Properties are {', '.join(PROPERTIES)}, preserves(…), reversible(…) and like(…)"
