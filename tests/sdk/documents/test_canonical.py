import time
from contextlib import suppress

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from ternary_sdk._internal.documents import canonical
from ternary_sdk._internal.documents.canonical import Json
from ternary_sdk.errors import FormatError

names = st.text(alphabet=st.characters(max_codepoint=127), max_size=8)
values: st.SearchStrategy[Json] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-canonical.SAFE_INTEGER, canonical.SAFE_INTEGER)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_the_bytes_are_those_of_rfc_8785(value: Json) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(values)
def test_a_value_survives_its_bytes(value: Json) -> None:
    assert canonical.decode(canonical.encode(value), "doc") == value


ALTERED = "it was altered on the way: take it as it was sent"
LAID_OUT = "the file was laid out anew, as editors and formatters do: take it as it was sent"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"b":1,"a":2}', "doc: not in canonical form (member order, white space or escapes differ)"),
        (b'{"a": 1}', f"doc: not in canonical form: a space at byte 5; {LAID_OUT}"),
        (b'"\\u0061"', "doc: not in canonical form (member order, white space or escapes differ)"),
        (b"-0", "doc: not in canonical form (member order, white space or escapes differ)"),
        (b'{"a":1,"a":1}', "doc: member 'a' appears twice"),
        (b"1.0", "doc: number 1.0 is not an integer"),
        (b"1e3", "doc: number 1e3 is not an integer"),
        (b"NaN", "doc: number NaN is not an integer"),
        (b"9007199254740992", "doc: $: integer beyond ±(2^53 - 1)"),
        (b'["\\ud800"]', "doc: $[0]: text holds a lone surrogate"),
        ('{"ä":1}'.encode(), "doc: $: member name 'ä' is not ASCII"),
        (b"[" * 18 + b"]" * 18, "doc: $" + "[0]" * 17 + ": nested deeper than 16"),
        (b"[" * 100_000, "doc: not JSON (nested too deeply)"),
    ],
)
def test_other_bytes_are_refused(data: bytes, message: str) -> None:
    with pytest.raises(FormatError) as refusal:
        canonical.decode(data, "doc")
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", " at byte 0"),
        (b"{", " at byte 1"),
        (b'{"a":"\xff"}', " (byte 6 is not UTF-8)"),
        (b"\xef\xbb\xbf{}", f": zero width no-break space at byte 0; {ALTERED}"),
        ("{}\u00a0".encode(), f": no-break space at byte 2; {ALTERED}"),
        ("\u201ca\u201d".encode(), f": left double quotation mark at byte 0; {ALTERED}"),
        ('"ä"x'.encode(), " at byte 4"),
        (b"1" * 5000, " (an integer has too many digits)"),
        (b"'a'", " at byte 0"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(data: bytes, where: str) -> None:
    with pytest.raises(FormatError) as refusal:
        canonical.decode_any(data, "doc")
    assert str(refusal.value) == f"doc: not JSON{where}"


@given(st.binary(max_size=60))
def test_no_bytes_bring_another_error(data: bytes) -> None:
    with suppress(FormatError):
        canonical.decode(data, "doc")


def test_layout_is_free_in_other_peoples_documents() -> None:
    assert canonical.decode_any(b' { "b" : 1 , "a" : [ true ] } ', "doc") == {"b": 1, "a": [True]}


def test_a_float_has_no_canonical_form() -> None:
    with pytest.raises(FormatError, match=r"^\$\.x: float has no canonical form$"):
        canonical.encode({"x": 0.5})  # type: ignore[dict-item]


def test_a_repeated_name_among_very_many_is_found_quickly() -> None:
    members = [f'"{number}":0' for number in range(200_000)]
    document = "{" + ",".join([*members, members[-1]]) + "}"
    started = time.perf_counter()
    with pytest.raises(FormatError, match="test: member '199999' appears twice"):
        canonical.decode_any(document.encode(), "test")
    assert time.perf_counter() - started < 5
