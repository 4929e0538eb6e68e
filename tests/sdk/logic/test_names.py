"""Named operations: each is the table that the literature prints, and no name means two operations."""

from itertools import product

import pytest

from ternary_sdk._internal.logic.names import meanings
from ternary_sdk.errors import InputError
from ternary_sdk.logic import NAMES, Form, named, names_of, parse, to_code
from ternary_sdk.space import TERNARY_2, Space

SPACES = [Space(2, k) for k in range(1, 6)] + [Space(3, k) for k in range(1, 4)]
SPACES += [Space(4, 1), Space(4, 2), Space(5, 1), Space(5, 2), Space(6, 1), Space(15, 1)]

TERNARY = {  # rows are a, columns are b, each from - to +
    "MIN": ("PC0", "--- -00 -0+"),
    "MAX": ("ZRP", "-0+ 00+ +++"),
    "SUM": ("7PB", "+-0 -0+ 0+-"),
    "CONS": ("RDC", "-00 000 00+"),
    "MUL": ("PD5", "+0- 000 -0+"),
    "XOR": ("5DP", "-0+ 000 +0-"),
    "ANY": ("XP9", "--0 -0+ 0++"),
    "NANY": ("15H", "++0 +0- 0--"),
    "MLE": ("H51", "0-- +0- ++0"),
    "EN": ("RD4", "00- 000 00+"),
    "DESEL": ("VP0", "--- -0+ -++"),
    "FLOOR_MEAN": ("RC9", "--0 -00 00+"),
    "KLEENE_IMPLIES": ("PRZ", "+++ 00+ -0+"),
    "LUKASIEWICZ_IMPLIES": ("PXZ", "+++ 0++ -0+"),
    "GODEL_IMPLIES": ("PVZ", "+++ -++ -0+"),
    "SOBOCINSKI_IMPLIES": ("KPZ", "+++ -0+ --+"),
    "BOCHVAR_AND": ("PD3", "-0- 000 -0+"),
    "BOCHVAR_OR": ("TDP", "-0+ 000 +0+"),
    "BOCHVAR_IMPLIES": ("PDT", "+0+ 000 -0+"),
    "MCCARTHY_AND": ("PD0", "--- 000 -0+"),
    "WEBB": ("087", "0+- ++- ---"),
    "SHEFFER_TAND": ("8ZX", "0++ +++ ++-"),
}
ONE = {
    "STI": ("5", "+0-"),
    "NTI": ("2", "+--"),
    "PTI": ("8", "++-"),
    "MTI": ("6", "-+-"),
    "NEC": ("K", "--+"),
    "ID": ("P", "-0+"),
    "INC": ("7", "0+-"),
    "DEC": ("B", "+-0"),
    "GODEL_NOT": ("2", "+--"),
    "POS": ("V", "-++"),
}
QUATERNARY = {  # Belnap: 0 false, 1 neither, 2 both, 3 true
    "BELNAP_AND": "0000 0101 0022 0123",
    "BELNAP_OR": "0123 1133 2323 3333",
    "CONSENSUS": "0101 1111 0123 1133",
    "GULLIBILITY": "0022 0123 2222 2323",
    "GF4_ADD": "0123 1032 2301 3210",
    "GF4_MUL": "0000 0123 0231 0312",
    "WEBB": "1230 2230 3330 0000",
}
BOOLEAN = {
    "AND": "00 01",
    "OR": "01 11",
    "NAND": "11 10",
    "NOR": "10 00",
    "XOR": "01 10",
    "XNOR": "10 01",
    "IMPLIES": "11 01",
}


def index_of(cells: str, space: Space, alphabet: str) -> int:
    digits = [alphabet.index(cell) for cell in cells.replace(" ", "")]
    return sum(digit * space.radix**cell for cell, digit in enumerate(digits))


@pytest.mark.parametrize("name", TERNARY)
def test_a_two_input_ternary_name_is_its_printed_table(name: str) -> None:
    code, table = TERNARY[name]
    assert NAMES[name] == parse(name, form=Form.NAME) == index_of(table, TERNARY_2, "-0+")
    assert to_code(NAMES[name]) == code


@pytest.mark.parametrize("name", ONE)
def test_a_one_input_ternary_name_is_its_printed_table(name: str) -> None:
    space, (code, table) = Space(3, 1), ONE[name]
    index = parse(name, space, Form.NAME)
    assert (index, to_code(index, space)) == (index_of(table, space, "-0+"), code)


@pytest.mark.parametrize("name", QUATERNARY)
def test_a_two_input_quaternary_name_is_its_printed_table(name: str) -> None:
    assert parse(name, Space(4, 2)) == index_of(QUATERNARY[name], Space(4, 2), "0123")


@pytest.mark.parametrize("name", BOOLEAN)
def test_a_two_input_boolean_name_is_its_printed_table(name: str) -> None:
    assert parse(name, Space(2, 2)) == index_of(BOOLEAN[name], Space(2, 2), "01")


def test_a_full_adder_of_three_trits_gives_sum_and_carry() -> None:
    space = Space(3, 3)
    assert [to_code(parse(name, space), space) for name in ("SUM3", "CAR3")] == ["B7P7PBPB7", "XRDRDCDC9"]
    sums, carries = space.from_index([parse("SUM3", space), parse("CAR3", space)])
    totals = [sum(inputs) for inputs in product(space.values, repeat=3)]
    assert (3 * carries + sums).tolist() == totals


@pytest.mark.parametrize("inputs", range(2, 6))
def test_boolean_names_of_any_number_of_inputs_count_the_ones(inputs: int) -> None:
    space = Space(2, inputs)
    ones = [sum(chosen) for chosen in product((0, 1), repeat=inputs)]
    wanted = {
        "AND": [count == inputs for count in ones],
        "OR": [count > 0 for count in ones],
        "NAND": [count < inputs for count in ones],
        "NOR": [count == 0 for count in ones],
        "XOR": [count % 2 == 1 for count in ones],
    }
    for name, table in wanted.items():
        assert space.from_index([parse(name, space)])[0].astype(bool).tolist() == table
        assert parse(f"{name}{inputs}", space) == parse(name, space)


def test_boolean_selections_and_majorities_are_what_they_say() -> None:
    space = Space(2, 3)
    tables = space.from_index([parse(name, space) for name in ("MUX", "MAJ3", "XOR3")]).tolist()
    inputs = list(product((0, 1), repeat=3))
    assert tables[0] == [(b, c)[a] for a, b, c in inputs]
    assert tables[1] == [int(a + b + c >= 2) for a, b, c in inputs]
    assert tables[2] == [a ^ b ^ c for a, b, c in inputs]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_names_are_unique_and_each_is_complete(space: Space) -> None:
    entries = named(space)
    assert len({each.name for each in entries}) == len(entries)
    for each in entries:
        assert each.name == each.name.upper()
        assert each.name not in each.aliases
        assert each.formula
        assert each.source
        assert each.name in names_of(each.index, space)
        assert parse(each.name.lower(), space, Form.NAME) == each.index


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_no_alias_is_the_name_of_another_operation(space: Space) -> None:
    index = {each.name: each.index for each in named(space)}
    for each in named(space):
        assert [index.get(alias, each.index) for alias in each.aliases] == [each.index] * len(each.aliases)


def test_an_operation_has_all_its_names() -> None:
    assert names_of(15665) == ("XNOR", "MUL")
    assert names_of(16401) == ("CARRY", "CONS")
    assert names_of(0) == ()


def test_a_text_that_is_not_ascii_names_nothing() -> None:
    assert meanings("mın") == ()  # capital of the dotless i is I


@pytest.mark.parametrize(
    ("text", "space", "found"),
    [
        ("CONSENSUS", TERNARY_2, "16371 (FLOOR_MEAN, RC9) or the name of operation 16401 (CONS, RDC)"),
        ("tand", TERNARY_2, "15633 (MIN, PC0) or the name of operation 6559 (SHEFFER_TAND, 8ZX)"),
        ("BUF", Space(3, 1), "21 (ID, P) or the name of operation 18 (NEC, K)"),
        ("NOT", Space(4, 1), "27 (LUKASIEWICZ_NOT, 0123) or the name of operation 39 (BELNAP_NOT, 0213)"),
        (
            "IMPLIES",
            TERNARY_2,
            "15929 (KLEENE_IMPLIES, PRZ) or the name of operation 16010 (LUKASIEWICZ_IMPLIES, PXZ) or the "
            "name of operation 15983 (GODEL_IMPLIES, PVZ) or the name of operation 15683 (BOCHVAR_IMPLIES, "
            "PDT) or the name of operation 13715 (SOBOCINSKI_IMPLIES, KPZ)",
        ),
    ],
)
def test_an_alias_of_several_operations_is_refused_with_all_of_them(
    text: str, space: Space, found: str
) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, space)
    assert str(caught.value) == f"{text!r} is ambiguous: the name of operation {found}; write the index"
