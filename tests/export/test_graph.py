"""The decoder's tail: from logits, whatever they are, to an index."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import numpy_helper

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.inference.runtime import Decoder, Workers
from ternary_sdk.operations import to_index
from ternary_sdk.space import TERNARY_2

State = dict[str, npt.NDArray[np.float32]]
Logits = npt.NDArray[np.float32]
LAST = {"A": "decoder_A.decoder.4", "B": "decoder_B.fc_out"}
BELOW = {"A": "decoder_A.decoder.2", "B": "decoder_B.residual2.block.2"}
ROWS = 5_000
OVERFLOWING = {"A": np.float32(5e37), "B": np.float32(1e37)}
"""So large that some of the last hidden units overflow, and most do not."""


def decoded(state: State, path: str) -> tuple[npt.NDArray[np.int32], Logits]:
    """Indices and logits, (n, 9, 3), of random latents."""
    values = np.random.default_rng(1).normal(size=(ROWS, 16)).astype(np.float32)
    with Workers(1) as workers:
        decoder = Decoder(decoder_graph(state, path), "decoder", workers)
        return decoder.index(values), decoder.logits(values)


@pytest.mark.parametrize("path", ["A", "B"])
def test_an_index_is_the_argmax_of_the_logits_beside_it(untrained: Callable[[int], State], path: str) -> None:
    index, logits = decoded(untrained(2), path)
    assert np.array_equal(index, to_index((logits.argmax(axis=2) - 1).astype(np.int8)))


@pytest.mark.parametrize("order", range(27))
def test_each_order_of_three_logits_gives_the_first_of_the_highest(
    untrained: Callable[[int], State], order: int
) -> None:
    """Biases alone, from 0 to 2 for each class: all ways in which three logits can stand to each other."""
    classes = np.array([order // 9, order // 3 % 3, order % 3], np.float32)
    state = {name: np.zeros_like(value) for name, value in untrained(1).items()}
    state["decoder_A.decoder.4.bias"][12:15] = classes
    index, _ = decoded(state, "A")
    assert index.tolist() == [int(classes.argmax()) * 3**4] * ROWS


@pytest.mark.parametrize("path", ["A", "B"])
def test_logits_that_are_no_numbers_still_give_an_operation(
    untrained: Callable[[int], State], path: str
) -> None:
    """The last hidden units overflow now and then: one alone makes logits infinite, two that disagree NaN."""
    state = untrained(2)
    state[f"{BELOW[path]}.weight"] *= OVERFLOWING[path]
    assert np.isfinite(state[f"{BELOW[path]}.weight"]).all()
    index, logits = decoded(state, path)
    kinds = [test(logits).mean() > 0.02 for test in (np.isnan, np.isposinf, np.isneginf, np.isfinite)]
    assert kinds == [True, True, True, True]
    assert len(np.unique(index)) > 10
    assert 0 <= index.min() <= index.max() < TERNARY_2.size


def test_the_last_layer_holds_the_trained_numbers_as_they_are(untrained: Callable[[int], State]) -> None:
    state = untrained(2)
    model = onnx.load_from_string(decoder_graph(state, "A"))
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weight, bias = (stored[f"{LAST['A']}.{part}"] for part in ("weight", "bias"))
    assert weight.reshape(3, 9, 64).transpose(1, 0, 2).tobytes() == state[f"{LAST['A']}.weight"].tobytes()
    assert bias.reshape(3, 9).T.tobytes() == state[f"{LAST['A']}.bias"].tobytes()
