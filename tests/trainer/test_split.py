import torch

from ternary_sdk.operations import OperationSet, to_index
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
    kept = split.rows("monotone")
    assert torch.equal(kept[0], training[~family[training]])
    assert torch.equal(kept[1], validation[~family[validation]])
    assert torch.equal(kept[2], holdout)
    assert len(split.training(family="monotone")) == len(kept[0]) == 15_605
    assert len(split.validation(family="monotone")) == len(kept[1]) == 1_957


def test_nothing_is_lost_between_the_sets() -> None:
    held = split.sets("monotone")
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
    held = split.sets("balanced").digests
    assert held["family"] == members("balanced").digest
    assert held["holdout"] == split.sets().holdout.digest
    assert held["training"] != split.sets().training.digest
