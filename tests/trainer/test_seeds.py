import pytest
import torch

from ternary_sdk.errors import InputError
from ternary_trainer import seeds

GOLDEN = 4677496448399069918
PURPOSES = ["initial weights", "training of path A", "training of path B", "validation", "report"]


def test_purposes_and_seeds_have_streams_of_their_own() -> None:
    keys = {seeds.derive(seed, purpose) for seed in range(50) for purpose in PURPOSES}
    assert len(keys) == 50 * len(PURPOSES)


def test_a_stream_is_a_function_of_seed_and_purpose() -> None:
    one, same = (torch.randn(4, generator=seeds.generator(1, "validation")) for _ in range(2))
    assert torch.equal(one, same)


def test_a_derived_key_never_changes() -> None:
    assert seeds.derive(1, "validation") == GOLDEN


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(InputError, match=rf"seed: {seed}, expected 0 to 2\^63 - 1"):
        seeds.derive(seed, "validation")
