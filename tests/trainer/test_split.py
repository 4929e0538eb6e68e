import hashlib

import pytest
import torch

from ternary_sdk.errors import InputError
from ternary_sdk.operations import OperationSet, to_index
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.families import members


def test_the_split_is_the_published_one_in_consecutive_runs() -> None:
    order = torch.randperm(19_683, generator=torch.Generator().manual_seed(42))
    training, validation, holdout = split.rows()
    assert torch.equal(torch.cat([training, validation, holdout]), order)
    assert (len(training), len(validation), len(holdout)) == (15_746, 1_968, 1_969)


def test_rows_are_canonical_indices() -> None:
    for rows, operations in zip(
        split.rows(), (split.training(), split.validation(), split.holdout()), strict=True
    ):
        assert (to_index(operations.tables.numpy()) == rows.numpy()).all()
        assert torch.equal(operations.classes, operations.tables.long() + 1)


def test_a_family_held_out_leaves_training_and_validation_and_nothing_else_moves() -> None:
    family = torch.from_numpy(members("monotone").mask.copy())
    training, validation, holdout = split.rows()
    kept = split.rows(family="monotone")
    assert torch.equal(kept[0], training[~family[training]])
    assert torch.equal(kept[1], validation[~family[validation]])
    assert torch.equal(kept[2], holdout)
    assert len(split.training(family="monotone")) == len(kept[0]) == 15_605
    assert len(split.validation(family="monotone")) == len(kept[1]) == 1_957


def test_nothing_is_lost_between_the_sets() -> None:
    held = split.sets(family="monotone")
    assert held.family == members("monotone")
    unseen = OperationSet(held.holdout.mask | held.family.mask)
    assert len(held.training) + len(held.validation) + len(unseen) == 19_683
    assert split.sets().family is None


def test_the_digests_of_the_published_sets() -> None:
    assert split.sets().digests == {
        "training": "8ede8fac0978366244daf2b77bc345e1f95ebdfd471152de66f1329e0e5891ef",
        "validation": "15c5f0f9e790c68a972e4e11ac10e322c56179eb33487da064eed26fab568ed1",
        "holdout": "e2e75c4725377b390db5a75249ca7b10f4f6d1da949964d0bc8bf62ae1da51db",
    }
    held = split.sets(family="balanced").digests
    assert held["family"] == members("balanced").digest
    assert held["holdout"] == split.sets().holdout.digest
    assert held["training"] != split.sets().training.digest


LISTED = [Space(*pair) for pair in ((2, 2), (3, 1), (2, 3), (4, 1), (5, 1), (3, 2), (6, 1), (2, 4), (7, 1))]


@pytest.mark.parametrize("space", LISTED, ids=str)
def test_every_space_is_split_in_the_published_shares(space: Space) -> None:
    training, validation, holdout = split.sizes(space)
    assert training + validation + holdout == space.size
    assert min(validation, holdout) >= 2
    if space.size > 100:
        assert training == space.size * 8 // 10
        assert validation == space.size // 10


def test_another_space_is_ordered_by_a_hash_that_anybody_can_compute_again() -> None:
    space = Space(2, 3)
    order = sorted(range(256), key=lambda index: hashlib.sha256(b"ternary-split-v1/2,3/%d" % index).digest())
    assert torch.cat(split.rows(space)).tolist() == order
    assert [len(rows) for rows in split.rows(space)] == [204, 25, 27]


@pytest.mark.parametrize("space", [Space(2, 3), Space(5, 1)], ids=str)
def test_operations_of_another_space_are_its_tables_and_their_digits(space: Space) -> None:
    every = split.all_operations(space)
    assert every.space == split.training(space).space == space
    assert (every.tables.numpy() == space.tables).all()
    assert space.to_index(every.classes.numpy() + space.lowest).tolist() == list(range(space.size))


def test_a_vast_space_is_not_split() -> None:
    with pytest.raises(InputError) as refused:
        split.rows(Space(4, 2))
    assert str(refused.value) == "4,2: has 4,294,967,296 operations, more than the 2^20 that can be listed"


def test_the_published_order_is_that_of_its_own_space_alone() -> None:
    assert split.rows()[0].tolist() == split.rows(TERNARY_2)[0].tolist()
