"""What a checkpoint says of its own training is read only where it is numbers."""

import pytest

from ternary_trainer.validation import traces

LISTS = {f"{name}_{path}": [1, 2.5] for name in ("coverage", "H") for path in "AB"}
DETAILS: dict[str, object] = {f"{name}_history": values for name, values in LISTS.items()}


@pytest.mark.parametrize("values", [[1, 10**400], [1, float("nan")], [1, "2"], [1], None])
def test_a_list_that_is_not_finite_numbers_is_no_history(values: object) -> None:
    assert traces.of_file(DETAILS) is not None
    assert traces.of_file(DETAILS | {"H_A_history": values}) is None
