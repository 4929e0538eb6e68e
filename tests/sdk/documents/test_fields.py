import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk._internal.documents.fields import Fields
from ternary_sdk.errors import FormatError


def read(value: Json, getter: Callable[[Fields], object]) -> str:
    with pytest.raises(FormatError) as refusal:
        getter(Fields({"x": value}, "doc"))
    return str(refusal.value)


@pytest.mark.parametrize(
    ("value", "getter", "message"),
    [
        (1, lambda f: f.text("x"), "doc.x: 1, expected a string"),
        ("aaaa", lambda f: f.text("x", longest=3), "doc.x: 'aaaa', expected at most 3 characters"),
        ("b\n", lambda f: f.text("x", pattern=re.compile("b")), "doc.x: 'b\\n', expected text of the form b"),
        (True, lambda f: f.integer("x"), "doc.x: true, expected an integer from 0 to 9007199254740991"),
        (7, lambda f: f.integer("x", most=6), "doc.x: 7, expected an integer from 0 to 6"),
        (1, lambda f: f.truth("x"), "doc.x: 1, expected true or false"),
        (
            "A" * 64,
            lambda f: f.sha256("x"),
            f"doc.x: '{'A' * 57}…', expected text of the form [0-9a-f]{{64}}",
        ),
        (
            "YQ",
            lambda f: f.octets("x", longest=9),
            "doc.x: 'YQ', expected canonical base64 of at most 9 bytes",
        ),
        (
            "YR==",
            lambda f: f.octets("x", longest=9),
            "doc.x: 'YR==', expected canonical base64 of at most 9 bytes",
        ),
        ([], lambda f: f.object("x"), "doc.x: a list, expected an object"),
        ({}, lambda f: f.texts("x", most=3), "doc.x: an object, expected a list"),
        (["a", "a"], lambda f: f.texts("x", most=3), "doc.x: an entry is repeated"),
        (["a"] * 4, lambda f: f.texts("x", most=3), "doc.x: 4 entries, expected 0 to 3"),
        ([3, 3], lambda f: f.integers("x", below=9, most=3), "doc.x[1]: 3, expected an integer from 4 to 8"),
        (None, lambda f: f.exactly("x", 1), "doc.x: null, expected 1"),
        (True, lambda f: f.exactly("x", 1), "doc.x: true, expected 1"),
        (-1, lambda f: f.moment("x"), "doc.x: -1, expected an integer from 0 to 253402300799"),
        ("x", lambda f: f.text("y"), "doc: member 'y' is missing"),
        ("x", lambda f: f.end(), "doc: unknown member 'x'"),
    ],
)
def test_a_member_of_another_type_is_refused_by_path(
    value: Json, getter: Callable[[Fields], object], message: str
) -> None:
    assert read(value, getter) == message


def test_members_are_read_by_type() -> None:
    fields = Fields({"t": "a", "n": 3, "b": True, "m": 0, "o": "YQ==", "l": [{"k": 1}], "i": [1, 4]}, "doc")
    assert fields.text("t") == "a"
    assert fields.integer("n") == 3
    assert fields.truth("b") is True
    assert fields.moment("m") == datetime(1970, 1, 1, tzinfo=UTC)
    assert fields.octets("o", longest=1) == b"a"
    assert fields.items("l", lambda inner: inner.integer("k"), most=1) == (1,)
    assert fields.integers("i", below=5, most=2) == (1, 4)
    assert fields.optional("missing", fields.text) is None
    fields.end()


def test_the_path_of_a_nested_refusal_names_the_way() -> None:
    fields = Fields({"a": [{"b": {"c": 1}}]}, "doc")
    with pytest.raises(FormatError, match=r"^doc\.a\[0\]\.b\.c: 1, expected a string$"):
        fields.items("a", lambda inner: inner.object("b").text("c"), most=1)
