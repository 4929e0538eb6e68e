"""Each property against its definition in plain Python, and against counts that others published."""

import pickle
from itertools import combinations, permutations, product

import numpy as np
import pytest

from ternary_sdk.errors import InputError
from ternary_sdk.logic import (
    PROPERTIES,
    Preserves,
    Reversible,
    associative,
    balanced,
    commutative,
    complete,
    counted,
    depends_on_all,
    has_identity,
    idempotent,
    latin,
    monotone,
    preserves,
    reversible,
    row_reversible,
    self_dual,
)
from ternary_sdk.space import TERNARY_2, Space

FEW = [Space(2, 2), Space(2, 3), TERNARY_2, Space(4, 2), Space(3, 3), Space(5, 2), Space(3, 1), Space(4, 1)]
"""Listed and vast, odd and even, one to three inputs."""


def samples(space):
    """Uniform operations, and some that have structure, which few uniform ones have."""
    generator = np.random.default_rng(7)
    uniform = generator.integers(0, space.radix, (40, space.cells))
    inputs = np.array(list(product(range(space.radix), repeat=space.inputs)))
    built = [
        inputs.max(axis=1), inputs.min(axis=1), inputs.sum(axis=1) % space.radix, inputs[:, 0],
        (inputs.max(axis=1) + 1) % space.radix, inputs[:, -1], space.radix - 1 - inputs[:, 0],
        inputs[:, 0] * 0, (2 * inputs.sum(axis=1) + 1) % space.radix, inputs.prod(axis=1) % space.radix,
    ]  # fmt: skip
    return np.concatenate([uniform, built]).astype(np.int8) + np.int8(space.lowest)


def brute(name, f, space):
    """A property of one operation, given as a dictionary from inputs to result, word for word."""
    values, low, top = space.values, space.values[0], space.values[-1]

    def lines(place):
        for rest in product(values, repeat=space.inputs - 1):
            yield [f[(*rest[:place], x, *rest[place:])] for x in values]

    def needed():
        return [place for place in range(space.inputs) if any(len(set(line)) > 1 for line in lines(place))]

    def reversed_at(*places):
        return all(len(set(line)) == space.radix for place in places for line in lines(place))

    def follows(x, y):
        return all(a <= b for a, b in zip(x, y, strict=True))

    results = list(f.values())
    return {
        "commutative": lambda: all(f[x] == f[y] for x in f for y in permutations(x)),
        "associative": lambda: all(f[f[a, b], c] == f[a, f[b, c]] for a, b, c in product(values, repeat=3)),
        "idempotent": lambda: all(f[(x,) * space.inputs] == x for x in values),
        "balanced": lambda: len({results.count(x) for x in values}) == 1,
        "surjective": lambda: set(results) == set(values),
        "constant": lambda: len(set(results)) == 1,
        "essentially-unary": lambda: len(needed()) == 1,
        "depends-on-all": lambda: len(needed()) == space.inputs,
        "monotone": lambda: all(f[x] <= f[y] for x in f for y in f if follows(x, y)),
        "self-dual": lambda: all(f[tuple(low + top - a for a in x)] == low + top - f[x] for x in f),
        "row-reversible": lambda: reversed_at(1),
        "column-reversible": lambda: reversed_at(0),
        "latin": lambda: reversed_at(*range(space.inputs)),
        "has-identity": lambda: any(all(f[e, x] == x == f[x, e] for x in values) for e in values),
        "has-absorbing": lambda: any(all(f[z, x] == z == f[x, z] for x in values) for z in values),
    }[name]()


@pytest.mark.parametrize("space", FEW, ids=str)
@pytest.mark.parametrize("name", [name for name in PROPERTIES if name != "complete"])
def test_a_property_is_what_its_definition_says(name, space):
    try:
        PROPERTIES[name].check(space)
    except InputError:
        return
    tables = samples(space)
    inputs = list(product(space.values, repeat=space.inputs))
    expected = [brute(name, dict(zip(inputs, table, strict=True)), space) for table in tables.tolist()]
    assert PROPERTIES[name].holds(tables, space).tolist() == expected


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        (commutative, 729),
        (self_dual, 81),
        (balanced, 1_680),
        (idempotent, 729),
        (monotone, 175),
        (latin, 12),
        (latin & commutative, 6),
        (commutative & balanced, 36),
        (associative, 113),
        (associative & commutative, 63),
        (row_reversible, 216),
        (has_identity, 243),
        (complete, 3_774),
        (preserves(0), 3**8),
        (preserves(-1, 1), 2**4 * 3**5),
        (preserves(-1, 0, 1), 3**9),
        (reversible(1) & reversible(2), 12),
    ],
    ids=str,
)
def test_two_input_ternary_operations_are_as_many_as_others_count(condition, count):
    assert counted(TERNARY_2, condition).size == count


def test_a_boolean_operation_is_complete_if_it_is_outside_the_five_classes_of_post():
    for inputs, count in ((1, 0), (2, 2), (3, 56), (4, 16_256)):
        space = Space(2, inputs)
        tables = space.tables
        degree = tables.copy()  # to the coefficients of the polynomial over two elements
        for place in range(inputs):
            cube = degree.reshape(-1, 2**place, 2, 2 ** (inputs - 1 - place))
            cube[:, :, 1] ^= cube[:, :, 0]
        several = np.array([bin(cell).count("1") > 1 for cell in range(space.cells)])
        linear = ~degree[:, several].any(axis=1)
        post = linear | (tables[:, 0] == 0) | (tables[:, -1] == 1)
        post |= monotone.holds(tables, space) | self_dual.holds(tables, space)
        assert np.array_equal(complete.holds(tables, space), ~post)
        assert np.count_nonzero(~post) == count


def relations_of_three_values():
    """The relations of the 18 classes of Jablonskij that are maximal: each is kept by one class."""
    values = range(3)
    for size in (1, 2):
        yield from ([(x,) for x in subset] for subset in combinations(values, size))
    for pair in combinations(values, 2):  # one pair is equivalent
        yield [(x, y) for x, y in product(values, values) if x == y or {x, y} == set(pair)]
    for order in ((0, 1, 2), (1, 0, 2), (0, 2, 1)):
        yield [(x, y) for x, y in product(values, values) if order.index(x) <= order.index(y)]
    for center in values:
        yield [(x, y) for x, y in product(values, values) if x == y or center in (x, y)]
    yield [(x, (x + 1) % 3) for x in values]
    yield [row for row in product(values, repeat=3) if len(set(row)) < 3]
    yield [row for row in product(values, repeat=4) if (row[0] + row[1] - row[2] - row[3]) % 3 == 0]


def kept(digits, relation):
    """Which operations, applied place by place to two rows of a relation, stay in it."""
    arity = len(relation[0])
    inside = np.zeros((3,) * arity, np.bool_)
    inside[tuple(np.array(relation).T)] = True
    met = np.ones(len(digits), np.bool_)
    for one, other in product(relation, relation):
        met &= inside[tuple(digits[:, 3 * a + b] for a, b in zip(one, other, strict=True))]
    return met


def test_a_ternary_operation_is_complete_if_it_is_outside_the_eighteen_classes_of_jablonskij():
    digits = TERNARY_2.tables + 1
    relations = list(relations_of_three_values())
    assert len(relations) == 18
    outside = ~np.any([kept(digits, relation) for relation in relations], axis=0)
    assert np.array_equal(complete.holds(TERNARY_2.tables, TERNARY_2), outside)
    assert np.count_nonzero(outside) == 3_774


def clone_size(index, space, most):
    """How many operations of the space are formulas of one; no more are sought than ``most``."""
    places = space.radix ** np.arange(space.cells)
    table = space.from_index([index])[0] - space.lowest
    inputs = np.indices((space.radix,) * 2).reshape(2, -1)
    known = np.unique(inputs @ places)
    while True:
        digits = known[:, None] // places % space.radix
        found = [table[digits[:, None] * space.radix + digits[None, start : start + 64]] @ places
                 for start in range(0, len(digits), 64)]  # fmt: skip
        grown = np.unique(np.concatenate([known, *map(np.ravel, found)]))
        if len(grown) == len(known) or len(grown) > most:
            return len(grown)
        known = grown


def test_only_nand_and_nor_write_every_boolean_operation_of_two_inputs():
    space = Space(2, 2)
    sizes = [clone_size(index, space, space.size) for index in range(space.size)]
    assert [index for index, size in enumerate(sizes) if size == 16] == [1, 7]  # NOR and NAND
    assert np.flatnonzero(complete.holds(space.tables, space)).tolist() == [1, 7]


def test_formulas_of_webbs_operation_are_more_than_any_maximal_class_holds():
    """Webb (1935): max(a, b) + 1 mod 3. The largest maximal class has 6,561 of the operations."""
    digits = np.indices((3, 3)).max(axis=0).reshape(1, -1)
    webb = TERNARY_2.to_index((digits + 1) % 3 - 1)
    assert complete.holds(TERNARY_2.from_index(webb), TERNARY_2).all()
    largest = max(np.count_nonzero(kept(TERNARY_2.tables + 1, each)) for each in relations_of_three_values())
    assert largest == 6_561
    assert clone_size(int(webb[0]), TERNARY_2, largest) > largest


def test_webbs_operation_is_complete_for_five_values():
    space = Space(5, 2)
    digits = np.indices((5, 5)).max(axis=0).reshape(1, -1)
    tables = np.concatenate([(digits + 1) % 5, digits]) + space.lowest
    assert complete.holds(tables, space).tolist() == [True, False]


def test_no_operation_of_one_input_is_complete_however_many_values_there_are():
    space = Space(15, 1)  # 15! permutations are not tried
    assert not complete.holds(space.from_index([0, space.size - 1]), space).any()


def test_the_share_of_complete_quaternary_operations_is_near_the_published_number():
    """942,897,552 of 4^16, as Malkov (2014) counts them; the test allows five standard deviations."""
    space, tried, share = Space(4, 2), 100_000, 942_897_552 / 4**16
    tables = np.random.default_rng(1).integers(0, 4, (tried, 16)).astype(np.int8)
    found = np.count_nonzero(complete.holds(tables, space)) / tried
    assert abs(found - share) < 5 * (share * (1 - share) / tried) ** 0.5


def test_an_empty_batch_has_an_empty_answer():
    for condition in (*PROPERTIES.values(), preserves(0), reversible(1)):
        assert condition.holds(np.empty((0, 9), np.int8), TERNARY_2).shape == (0,)


def test_properties_survive_pickling_and_are_equal_by_name():
    for each in PROPERTIES.values():
        assert pickle.loads(pickle.dumps(each)) == each
    assert len(set(PROPERTIES.values())) == len(PROPERTIES)


def test_names_and_other_names_are_all_different():
    names = [name for each in PROPERTIES.values() for name in (each.name, *each.aliases)]
    assert len(names) == len(set(names))


def test_every_meaning_is_a_sentence_of_at_most_25_words():
    for each in PROPERTIES.values():
        assert each.meaning.endswith(".")
        assert len(each.meaning.split()) <= 25


def test_one_input_without_any_dependence_is_constant():
    assert depends_on_all.holds(np.array([[0, 0, 0], [0, 0, 1]], np.int8), Space(3, 1)).tolist() == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("condition", "space", "sentence"),
    [
        (commutative, Space(3, 1), "commutative: the space 3,1 has 1 input, expected at least 2"),
        (associative, Space(3, 3), "associative: the space 3,3 has 3 inputs, expected 2"),
        (preserves(2), TERNARY_2, "preserves(2): 2 is not a value of the space 3,2, expected -1, 0, 1"),
        (
            preserves(-1, 1),
            Space(2, 2),
            "preserves({-1,1}): -1 is not a value of the space 2,2, expected 0, 1",
        ),
        (reversible(3), TERNARY_2, "reversible(3): the space 3,2 has 2 inputs"),
    ],
    ids=str,
)
def test_a_condition_that_means_nothing_in_a_space_is_refused(condition, space, sentence):
    for refusing in (
        lambda: condition.check(space),
        lambda: condition.holds(np.empty((0, space.cells), np.int8), space),
        lambda: counted(space, ~(condition | latin)),
    ):
        with pytest.raises(InputError) as caught:
            refusing()
        assert str(caught.value) == sentence


def test_arguments_without_a_meaning_are_refused():
    with pytest.raises(
        InputError, match=r"^preserves: no value, expected at least one, such as preserves\(0\)$"
    ):
        Preserves(())
    with pytest.raises(InputError, match=r"^reversible: input is 0, expected at least 1$"):
        Reversible(0)


def test_arguments_that_are_no_integers_are_refused():
    for refusing, sentence in (
        (lambda: preserves(0.5), "preserves: 0.5, expected an integer"),
        (lambda: reversible("1"), "reversible: '1', expected an integer"),
    ):
        with pytest.raises(InputError) as caught:
            refusing()
        assert str(caught.value) == sentence
    assert str(preserves(np.int8(1), np.int64(-1))) == "preserves({-1,1})"


def test_tables_of_another_space_are_refused():
    with pytest.raises(InputError) as caught:
        latin.holds(np.zeros((2, 4), np.int8), TERNARY_2)
    assert str(caught.value) == "operations: shape is (2, 4), expected (n, 9)"
