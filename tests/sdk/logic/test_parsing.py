"""Codes, names and texts of operations: a name is what its definition says, and no text means two things."""

import pickle

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import NAMES, Form, parse, to_code
from ternary_sdk.space import TERNARY_2

PAIRS = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
DEFINITIONS = {  # code, then f(a, b) in other words than the module's
    "ANY": ("XP9", lambda a, b: int(np.sign(a + b))),
    "CONS": ("RDC", lambda a, b: (a + b) // 2 if a == b else 0),
    "MAX": ("ZRP", lambda a, b: a if a > b else b),
    "MIN": ("PC0", lambda a, b: b if a > b else a),
    "MLE": ("H51", lambda a, b: int(np.sign(a - b))),
    "MUL": ("PD5", lambda a, b: a * b),
    "NANY": ("15H", lambda a, b: -int(np.sign(a + b))),
    "SUM": ("7PB", lambda a, b: {-2: 1, 2: -1}.get(a + b, a + b)),
    "XOR": ("5DP", lambda a, b: -a * b),
}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_name_is_the_operation_that_its_definition_says(name):
    code, f = DEFINITIONS[name]
    assert TERNARY_2.tables[NAMES[name]].tolist() == [f(a, b) for a, b in PAIRS]
    assert to_code(NAMES[name]) == code
    assert parse(code) == NAMES[name]


def test_every_name_has_a_definition_here():
    assert list(NAMES) == list(DEFINITIONS)


def test_every_code_is_read_back_and_every_index_too():
    codes = [to_code(index) for index in range(TERNARY_2.size)]
    assert len(set(codes)) == TERNARY_2.size
    assert [parse(code, Form.CODE) for code in codes] == list(range(TERNARY_2.size))
    assert [parse(str(index), Form.INDEX) for index in range(TERNARY_2.size)] == list(range(TERNARY_2.size))


def test_every_operation_is_read_from_its_signs_and_its_digits():
    for index in [*range(1, TERNARY_2.size - 1, 97), TERNARY_2.size - 1]:
        signs = "".join("-0+"[trit + 1] for trit in TERNARY_2.tables[index])
        digits = "".join("012"[trit + 1] for trit in TERNARY_2.tables[index])
        assert parse(signs) == parse(digits) == index


@pytest.mark.parametrize(
    ("text", "index"),
    [("15633", 15633), ("0", 0), ("00012", 12), ("MIN", 15633), ("min", 15633), ("pc0", 15633), ("005", 5)],
)
def test_what_has_one_meaning_is_read(text, index):
    assert parse(text) == index


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MAX", "the code of operation 14146 or the name of operation 19569"),
        ("012", "the index of operation 12 or the code of operation 29"),
        ("000000000", "the signs of operation 9841 or the digits of operation 0"),
    ],
)
def test_what_has_two_meanings_is_refused_with_both(text, found):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value) == f"'{text}' is ambiguous: {found}; write the index"


def test_the_form_decides_between_two_meanings():
    assert [parse("MAX", form) for form in (Form.CODE, Form.NAME)] == [14146, 19569]
    assert [parse("012", form) for form in (Form.INDEX, Form.CODE)] == [12, 29]


def test_no_short_text_of_digits_is_read_in_silence_where_it_has_two_meanings():
    read = {}
    for number in range(1000):
        text = f"{number:03}"
        try:
            read[text] = parse(text)
        except InputError:
            continue
    assert read == {f"00{digit}": digit for digit in range(10)}


ANY = "an index, a code of 3 characters, 9 signs, 9 digits from 0 to 2, or a name"


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("", Form.ANY, ANY),
        ("19683", Form.ANY, ANY),
        ("-1", Form.ANY, ANY),
        ("1_0", Form.ANY, ANY),
        ("١٢", Form.ANY, ANY),
        ("１２", Form.ANY, ANY),
        ("mın", Form.ANY, ANY),  # capital of the dotless i is I
        ("12.0", Form.ANY, ANY),
        ("-0+-0+-0", Form.ANY, ANY),
        ("012012013", Form.ANY, ANY),
        ("−0+−0+−0+", Form.ANY, ANY),
        ("000011", Form.ANY, ANY),
        ("MIN", Form.INDEX, "an index, 0 to 19682"),
        ("012012012", Form.INDEX, "an index, 0 to 19682"),
        ("0IL", Form.CODE, "a code: 3 characters of 0123456789ABCDEFGHKMNPRTVXZ"),
        ("PC0", Form.NAME, "a name: ANY, CONS, MAX, MIN, MLE, MUL, NANY, SUM, XOR"),
    ],
)
def test_what_stands_for_no_operation_is_refused(text, form, expected):
    with pytest.raises(InputError) as caught:
        parse(text, form)
    assert str(caught.value) == f"{text!r} is not an operation, expected {expected}"


def test_a_long_text_is_not_repeated_whole():
    with pytest.raises(InputError) as caught:
        parse("x" * 10_000)
    assert str(caught.value) == f"'{'x' * 57}'… is not an operation, expected {ANY}"


@pytest.mark.parametrize("index", [-1, TERNARY_2.size])
def test_a_number_that_is_not_an_index_has_no_code(index):
    with pytest.raises(InputError) as caught:
        to_code(index)
    assert str(caught.value) == f"indices: entry 0 is {index}, expected 0 to 19682"


def test_a_form_survives_pickling():
    assert pickle.loads(pickle.dumps(Form.CODE)) is Form.CODE
