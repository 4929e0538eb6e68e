"""What mechanisms do to operations: images, and which operations they may not show."""

import itertools

import pytest
import torch
from torch import Tensor

from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer import split
from ternary_trainer.families import members
from ternary_trainer.mechanism_settings import Changes, Permutation
from ternary_trainer.mechanisms import permutation, withheld
from ternary_trainer.split import Operations
from ternary_trainer.vast_split import HOLDOUT, VALIDATION, VastSplit, part

CPU = torch.device("cpu")
BOOLEAN_3 = Space(2, 3)


def stream() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def nothing(digits: Tensor) -> Tensor:
    return torch.zeros(len(digits), dtype=torch.bool)


def repeated(index: int, count: int, space: Space = TERNARY_2) -> Operations:
    return split.all_operations(space).take(torch.full((count,), index))


def test_what_a_run_chooses_by_or_holds_out_is_withheld() -> None:
    everything = split.all_operations().classes
    found = withheld.of(TERNARY_2, "monotone", 197, CPU)(everything)
    _, validation, holdout = split.rows(TERNARY_2, "monotone", 197)
    expected = torch.from_numpy(members("monotone").mask.copy())
    expected[validation] = expected[holdout] = True
    assert torch.equal(found, expected)
    assert not found[split.rows(TERNARY_2, "monotone", 197)[0]].any()


def test_in_a_vast_space_the_rule_of_the_split_withholds() -> None:
    space = Space(4, 2)
    digits = torch.randint(4, (2_000, 16), generator=stream())
    found = withheld.of(space, None, None, CPU)(digits).numpy()
    parts = part(digits.numpy() @ space.places, space)
    assert found[(parts == HOLDOUT) | (parts == VALIDATION)].all()
    trained = VastSplit(space).training(500, stream()).classes
    assert not withheld.of(space, None, None, CPU)(trained).any()


@pytest.mark.parametrize(
    ("space", "changes", "cells", "results"),
    [
        (TERNARY_2, "all", 72, 6),
        (TERNARY_2, "inputs", 2, 1),
        (TERNARY_2, "values", 36, 6),
        (BOOLEAN_3, "all", 48, 2),
        (Space(5, 1), "all", 120, 120),
    ],
)
def test_there_are_as_many_maps_as_orders_and_renamings(
    space: Space, changes: Changes, cells: int, results: int
) -> None:
    found, renamings = permutation._maps(space, changes)
    assert len({tuple(row.tolist()) for row in found}) == cells
    assert len({tuple(row.tolist()) for row in renamings}) == results
    assert torch.equal(found.sort(1).values, torch.arange(space.cells).expand(cells, -1))


def test_images_under_all_maps_are_exactly_an_equivalence_class() -> None:
    table = torch.minimum(torch.arange(3)[:, None], torch.arange(3)).flatten()
    minimum = int((table * torch.from_numpy(TERNARY_2.places.copy())).sum())
    images = permutation.permuted(Permutation(), repeated(minimum, 20_000), nothing, stream())
    cells, results = permutation._maps(TERNARY_2, "all")
    orbit = {tuple(renaming[table[order]].tolist()) for order, renaming in itertools.product(cells, results)}
    assert {tuple(row) for row in images.classes.tolist()} == orbit


def test_inputs_exchanged_is_the_transposed_table() -> None:
    operations = split.all_operations().take(torch.arange(0, 19_683, 7))
    images = permutation.permuted(Permutation(changes="inputs"), operations, nothing, stream())
    transposed = operations.classes.view(-1, 3, 3).transpose(1, 2).flatten(1)
    same, swapped = ((images.classes == rows).all(1) for rows in (operations.classes, transposed))
    assert (same | swapped).all()
    assert (swapped & ~same).any()
    assert (same & ~swapped).any()


def test_an_image_is_its_own_target() -> None:
    images = permutation.permuted(Permutation(), split.training(), nothing, stream())
    assert torch.equal(images.tables, images.classes.float() - 1)


def test_an_operation_whose_image_is_withheld_stays() -> None:
    rule = withheld.of(TERNARY_2, None, 197, CPU)
    operations = split.training(count=197)
    for _ in range(20):
        images = permutation.permuted(Permutation(), operations, rule, stream())
        assert not rule(images.classes).any()
    unchanged = permutation.permuted(
        Permutation(), operations, lambda digits: torch.ones(len(digits), dtype=torch.bool), stream()
    )
    assert torch.equal(unchanged.classes, operations.classes)


def test_no_image_without_a_chance() -> None:
    operations = split.training(count=500)
    images = permutation.permuted(Permutation(chance=0.0), operations, nothing, stream())
    assert torch.equal(images.classes, operations.classes)
