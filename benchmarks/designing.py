"""What a designer waits for: draws by property, from a model by hand that reaches all of a vast space."""

from collections.abc import Iterator

import numpy as np
from tests.networks import thresholds

from benchmarks.measurement import Measurement, best_of
from ternary_export.graph import decoder_graph, encoder_graph
from ternary_sdk._internal.inference.conditional import ConditionalDraws
from ternary_sdk._internal.inference.dial import Dial
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk._internal.inference.vast_sampler import VastSampler
from ternary_sdk._internal.logic.choice import Choice
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

_THREE_INPUTS = Signature(Space(3, 3), 32, ("A",))
_QUATERNARY = Signature(Space(4, 2), 16, ("A",))


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    for signature, where, count, most in (
        (_THREE_INPUTS, "symmetric", 59_049, 1.0),
        (_THREE_INPUTS, "self-dual", 1_000_000, 10.0),
        (_QUATERNARY, "commutative", 1_000_000, 10.0),
    ):
        yield _unique(signature, where, count, most)


def _unique(signature: Signature, where: str, count: int, most: float) -> Measurement:
    """A unique draw, beside encoding and decoding as many operations, which it cannot go below."""
    sampler = _sampler(signature)
    choice = Choice.of(signature.space, where, None, None)
    if choice is None:
        raise SystemExit(f"{where}: nothing was asked for")
    draws = ConditionalDraws(sampler, choice)
    indices = choice.count().unrank(np.arange(count))
    draws.unique(1, seed=1, dial=Dial())
    mine = best_of(lambda: draws.unique(count, seed=1, dial=Dial()), 3)
    model = best_of(lambda: sampler.witnessed(indices), 3)
    return Measurement(
        name=f"{count:,} {where} operations of {signature.space}",
        value=mine,
        unit="s",
        most=most,
        detail=f"{model:.2f} s of it to encode and decode",
    )


def _sampler(signature: Signature) -> VastSampler:
    state, workers = thresholds(signature), Workers()
    encoder = Encoder(encoder_graph(state, "A", signature), "encoder_A.onnx", workers, signature)
    decoder = Decoder(decoder_graph(state, "A", signature), "decoder_A.onnx", workers, signature)
    return VastSampler(decoder, encoder, CURRENT.of(signature.latent_size))
