"""What is held out of a vast space: the rule of docs/training.md, written out one index at a time."""

import hashlib
import math
from itertools import permutations, product

import numpy as np
import pytest
import torch
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from ternary_sdk.errors import InputError
from ternary_sdk.space import Space
from ternary_trainer import seeds, vast_split
from ternary_trainer.families import belongs
from ternary_trainer.split import Operations
from ternary_trainer.vast_split import VastSplit

QUATERNARY, TERNARY_3 = Space(4, 2), Space(3, 3)


def index(operations: Operations) -> np.ndarray:
    return operations.space.to_index(operations.tables.numpy())


def stream() -> torch.Generator:
    return seeds.generator(1, "test")


def test_the_key_is_published() -> None:
    assert vast_split.rule(QUATERNARY)[:32] == "644c33d166880e1bfb83818702e5f085"
    assert vast_split.rule(TERNARY_3)[:32] == "666c902cc3d24971b44606c6783a82ca"


@pytest.mark.parametrize("space", [QUATERNARY, TERNARY_3, Space(2, 5)], ids=str)
def test_a_part_is_the_encrypted_index_modulo_ten(space: Space) -> None:
    key = hashlib.sha256(f"ternary-holdout-v1/{space}".encode()).digest()[:16]
    indices = [0, 1, 255, 2**31, space.size - 1]
    for number, found in zip(indices, vast_split.part(np.array(indices), space), strict=True):
        encryptor = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()
        block = encryptor.update(number.to_bytes(16, "little"))
        assert found == int.from_bytes(block[:8], "little") % 10


def test_known_parts_never_change() -> None:
    assert vast_split.part(np.arange(20), QUATERNARY).tolist() == [
        2, 7, 1, 8, 9, 1, 3, 6, 8, 4, 7, 1, 6, 5, 1, 6, 2, 7, 0, 8,
    ]  # fmt: skip
    assert vast_split.part(np.arange(20), TERNARY_3).tolist() == [
        0, 6, 4, 4, 0, 7, 7, 0, 3, 3, 6, 2, 2, 3, 4, 2, 7, 7, 6, 5,
    ]  # fmt: skip


@pytest.mark.parametrize("space", [QUATERNARY, TERNARY_3, Space(2, 5), Space(8, 1)], ids=str)
def test_nothing_that_is_held_out_is_trained_on_or_chosen_by(space: Space) -> None:
    rule = VastSplit(space)
    parts = {}
    for name, drawn in {
        "training": rule.training(3000, stream()),
        "validation": rule.validation(500, stream()),
        "holdout": rule.holdout(500, stream()),
    }.items():
        parts[name] = set(vast_split.part(index(drawn), space).tolist())
        assert torch.equal(drawn.classes + space.lowest, drawn.tables.long())
        assert len(drawn) == {"training": 3000}.get(name, 500)
        if name != "holdout":
            for family in vast_split.held_families(space):
                assert not belongs(family, drawn.tables.numpy().astype(np.int8), space).any()
    assert parts == {"training": set(range(2, 10)), "validation": {1}, "holdout": {0}}


def test_training_operations_are_uniform_among_those_that_nothing_holds_out() -> None:
    """Digits and pairs of neighbours; a family as small as the balanced ones tilts them by far less."""
    drawn = VastSplit(QUATERNARY).training(200_000, stream()).classes
    shares = torch.stack([(drawn == digit).float().mean(0) for digit in range(4)])
    assert float((shares - 0.25).abs().max()) < 5 * math.sqrt(0.25 * 0.75 / 200_000)
    pairs = torch.bincount(4 * drawn[:, 3] + drawn[:, 4], minlength=16) / 200_000
    assert float((pairs - 1 / 16).abs().max()) < 5 * math.sqrt(1 / 16 / 200_000)


def test_a_recipe_may_hold_out_one_more_family() -> None:
    held = VastSplit(QUATERNARY, "idempotent")
    assert held.families == ("commutative", "balanced", "idempotent")
    assert VastSplit(QUATERNARY, "balanced").families == ("commutative", "balanced")
    # One operation in 256 is idempotent.
    drawn = held.training(20_000, stream()).tables.numpy().astype(np.int8)
    assert not belongs("idempotent", drawn, QUATERNARY).any()
    assert belongs(
        "idempotent", VastSplit(QUATERNARY).training(20_000, stream()).tables.numpy(), QUATERNARY
    ).any()
    with pytest.raises(InputError) as refused:
        VastSplit(Space(8, 1), "commutative")
    assert str(refused.value) == "family 'commutative': needs two inputs or more, operations of 8,1 have one"


@pytest.mark.parametrize("space", [QUATERNARY, TERNARY_3], ids=str)
def test_members_of_a_family_are_of_it_and_uniform(space: Space) -> None:
    commutative = vast_split.members("commutative", space, 20_000, stream())
    inputs = list(product(range(space.radix), repeat=space.inputs))
    cells = {values: number for number, values in enumerate(inputs)}
    for values in inputs:
        for other in permutations(values):
            column = commutative.classes[:, cells[values]]
            assert torch.equal(column, commutative.classes[:, cells[tuple(other)]])
    balanced = vast_split.members("balanced", space, 20_000, stream())
    assert belongs("balanced", balanced.tables.numpy().astype(np.int8), space).all()
    for drawn in (commutative, balanced):
        shares = torch.stack([(drawn.classes == digit).float().mean(0) for digit in range(space.radix)])
        assert float((shares - 1 / space.radix).abs().max()) < 5 * math.sqrt(0.25 / 20_000)
        assert len(np.unique(index(drawn))) > 0.98 * 20_000 * (1 - 20_000 / 2 / 59_049)


def test_operations_to_choose_by_are_the_same_for_every_run_and_digested_as_a_set() -> None:
    drawn = vast_split.validation(QUATERNARY, 300, None, torch.device("cpu"))
    members = b"".join(int(number).to_bytes(8, "little") for number in sorted(set(index(drawn).tolist())))
    assert vast_split.digests(QUATERNARY, 300, None) == {
        "rule": hashlib.sha256(b"ternary-holdout-v1/4,2").hexdigest(),
        "validation": hashlib.sha256(members).hexdigest(),
    }
    assert vast_split.digests(QUATERNARY, 3_000, "idempotent") != vast_split.digests(QUATERNARY, 3_000, None)
