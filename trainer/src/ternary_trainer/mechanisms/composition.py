"""
Compositional loss: zA + zB − zC must decode to a + b − c.

Known of word vectors (Mikolov, Yih and Zweig, "Linguistic regularities in continuous space word
representations", 2013). Under the default recipe it does not hold: `ternary validate --checks
latent-arithmetic` measures it.
"""

import torch
from torch import Tensor

from ternary_sdk.space import Space
from ternary_trainer import score
from ternary_trainer.mechanisms.withheld import Withheld
from ternary_trainer.model import Decoder, Encoder
from ternary_trainer.split import Operations


def of_sums(
    encoder: Encoder,
    decoder: Decoder,
    operations: Operations,
    mean: Tensor,
    withheld: Withheld,
    random: torch.Generator,
) -> Tensor:
    """Cross-entropy of decoding zA + zB − zC as a + b − c, nats, mean over the batch.

    a is each operation of the batch and b the next one. c is drawn cell by cell, uniform among the digits for
    which a + b − c is a digit. Triples with a withheld operation count nothing.
    """
    space, first = operations.space, operations.classes
    sums = first + first.roll(-1, 0)
    third = _subtracted(sums, space, random)
    result = sums - third
    kept = ~(withheld(third) | withheld(result))
    if not kept.any():
        return mean.new_zeros(())
    minus, _ = encoder((third[kept] + space.lowest).float())
    logits = decoder((mean + mean.roll(-1, 0))[kept] - minus)
    classes = result[kept]
    wanted = Operations.of(classes, space)
    return score.cross_entropy(logits, wanted) / len(operations)


def _subtracted(sums: Tensor, space: Space, random: torch.Generator) -> Tensor:
    """A uniform c in each cell such that c and the sum less c are digits, int64, shape (n, cells)."""
    least = (sums - (space.radix - 1)).clamp(min=0)
    most = sums.clamp(max=space.radix - 1)
    share = torch.rand(sums.shape, generator=random, device=sums.device)
    return torch.minimum(least + (share * (most - least + 1)).long(), most)
