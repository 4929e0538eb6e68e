import torch

from ternary_sdk.operations import to_index
from ternary_trainer import split


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
