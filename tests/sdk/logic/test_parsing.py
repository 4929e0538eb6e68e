"""Texts of operations: what has one meaning is read in every space, and no text means two things."""

import pickle

import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import NAMES, Form, parse, parse_typed, to_code
from ternary_sdk.space import TERNARY_2, Space


def test_every_code_is_read_back_and_every_index_too():
    codes = [to_code(index) for index in range(TERNARY_2.size)]
    assert len(set(codes)) == TERNARY_2.size
    assert [parse(code, form=Form.CODE) for code in codes] == list(range(TERNARY_2.size))
    assert [parse(str(index), form=Form.INDEX) for index in range(TERNARY_2.size)] == list(
        range(TERNARY_2.size)
    )


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
    ("text", "found", "ways"),
    [
        ("MAX", "the code of operation 14146 or the name of operation 19569", " or code:MAX or name:MAX"),
        ("012", "the index of operation 12 or the code of operation 29", " or code:012"),
        ("000000000", "the signs of operation 9841 or the digits of operation 0", ""),
    ],
)
def test_what_has_two_meanings_is_refused_with_both(text, found, ways):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert str(caught.value) == f"'{text}' is ambiguous: {found}; write the index{ways}"


def test_the_form_decides_between_two_meanings():
    assert [parse("MAX", form=form) for form in (Form.CODE, Form.NAME)] == [14146, 19569]
    assert [parse("012", form=form) for form in (Form.INDEX, Form.CODE)] == [12, 29]


def test_no_short_text_of_digits_is_read_in_silence_where_it_has_two_meanings():
    read = {}
    for number in range(1000):
        text = f"{number:03}"
        try:
            read[text] = parse(text)
        except InputError:
            continue
    assert read == {f"00{digit}": digit for digit in range(10)}


ANY = "an index, a code of 3 characters, 9 signs, 9 digits from 0 to 2, 9 values with commas, or a name"


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
        ("-1,-1,-1,-1,0,0,-1,0", Form.ANY, ANY),
        ("-1,-1,-1,-1,0,0,-1,0,2", Form.ANY, ANY),
        ("-1,-1,-1,-1,0,0,-1,0,1,", Form.ANY, ANY),
        ("-1;-1;-1;-1;0;0;-1;0;1", Form.ANY, ANY),
        ("000011", Form.ANY, ANY),
        ("MIN", Form.INDEX, "an index, 0 to 19682"),
        ("012012012", Form.INDEX, "an index, 0 to 19682"),
        ("0IL", Form.CODE, "a code: 3 characters of 0123456789ABCDEFGHKMNPRTVXZ"),
        ("PC0", Form.NAME, f"a name: {', '.join(sorted(NAMES))}"),
    ],
)
def test_what_stands_for_no_operation_is_refused(text, form, expected):
    with pytest.raises(InputError) as caught:
        parse(text, form=form)
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


def test_every_operation_is_read_from_its_values() -> None:
    for index in range(0, TERNARY_2.size, 97):
        values = TERNARY_2.tables[index].tolist()
        assert parse(",".join(map(str, values))) == index
        assert parse(", ".join(f"{value:+d}" for value in values)) == index


@pytest.mark.parametrize(
    ("text", "space", "index"),
    [
        ("STI", Space(3, 1), 5),
        ("5", Space(3, 1), 5),  # index and code alike
        ("+0-", Space(3, 1), 5),
        ("210", Space(3, 1), 5),
        ("B7P7PBPB7", Space(3, 3), 3188195038717),
        ("sum3", Space(3, 3), 3188195038717),
        ("0,1,1,0", Space(2, 2), 6),
        ("0110", Space(2, 2), 6),  # code and digits alike
        ("2,1,0,-1,-2", Space(5, 1), 194),
        ("NOT", Space(5, 1), 194),
    ],
)
def test_what_has_one_meaning_is_read_in_its_space(text: str, space: Space, index: int) -> None:
    assert parse(text, space) == index


@pytest.mark.parametrize(
    ("text", "space", "sentence"),
    [
        (
            "1000",
            Space(2, 2),
            "'1000' is ambiguous: the code of operation 8 or the digits of operation 1; write the index or "
            "code:1000",
        ),
        (
            "012345678",
            Space(3, 3),
            "'012345678' is ambiguous: the index of operation 12345678 or the code of operation 11280469652; "
            "write the index or code:012345678",
        ),
        (
            "--0",
            Space(4, 1),
            "'--0' is not an operation, expected an index, a code of 4 characters, 4 digits from 0 to 3, "
            "4 values with commas, or a name",
        ),
        (
            "-1,0",
            Space(2, 1),
            "'-1,0' is not an operation, expected an index, a code of 2 characters, 2 digits from 0 to 1, "
            "2 values with commas, or a name",
        ),
        (
            "?",
            Space(3, 1),
            "'?' is not an operation, expected an index, a code of 1 character, 3 signs, "
            "3 digits from 0 to 2, 3 values with commas, or a name",
        ),
    ],
)
def test_what_has_no_meaning_or_two_in_its_space_is_refused(text: str, space: Space, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, space)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("MAX", 19569),
        ("max", 19569),
        ("AND", 15633),
        ("code:MAX", 14146),
        ("name:max", 19569),
        ("15633", 15633),
    ],
)
def test_what_a_person_types_means_its_name_first(text, index):
    assert parse_typed(text) == index


def test_a_form_before_a_colon_decides_in_data_too():
    read = [parse(text) for text in ("code:MAX", "Name:MAX", "index:12", "code:012")]
    assert read == [14146, 19569, 12, 29]
    with pytest.raises(InputError) as caught:
        parse("code:MI")
    assert str(caught.value).startswith("'MI' is not an operation, expected a code: ")


def test_a_name_of_several_operations_is_refused_when_typed_too():
    with pytest.raises(InputError, match=r"^'CONSENSUS' is ambiguous: the name of operation 16371 "):
        parse_typed("CONSENSUS")
