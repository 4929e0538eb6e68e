import pytest
import torch

from ternary_sdk.signature import Signature
from ternary_sdk.space import TERNARY_2, Space
from ternary_trainer.architecture import NETWORKS, Architecture
from ternary_trainer.decoding import decode
from ternary_trainer.model import initial

SPACES = [TERNARY_2, Space(2, 3), Space(5, 1), Space(2, 4), Space(4, 1)]


@pytest.mark.parametrize("space", SPACES, ids=str)
@pytest.mark.parametrize("path", ["A", "B"])
def test_decoding_agrees_with_argmax_margin_and_the_canonical_index(space: Space, path: str) -> None:
    signature = Signature(space, 16, ("A", "B"))
    decoder = initial(1, Architecture.of(signature, NETWORKS)).decoder(path)
    latents = torch.randn(500, 16)
    draws = decode(decoder, latents, space)
    logits = decoder(latents).view(-1, space.cells, space.radix)
    assert torch.equal(draws.classes, logits.argmax(-1).t())
    assert draws.index.tolist() == space.to_index(logits.argmax(-1).numpy() + space.lowest).tolist()
    best, second = logits.topk(2, dim=-1).values.unbind(-1)
    assert torch.equal(draws.margin, (best - second).amin(1))


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_tie_goes_to_the_lower_digit(space: Space) -> None:
    level = torch.nn.Linear(16, space.cells * space.radix, bias=False)
    draws = decode(level, torch.zeros(2, 16), space)
    assert draws.index.tolist() == [0, 0]
    assert draws.margin.tolist() == [0, 0]
