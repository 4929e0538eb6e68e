"""A path's graphs compared with the network that they were written from."""

import pytest
import torch

from ternary_export.build import load
from ternary_export.export import write_graphs
from ternary_export.parity import measure
from ternary_export.provenance import Parity
from ternary_export.sample import SAMPLED
from ternary_sdk._internal.inference.runtime import Workers
from ternary_sdk.errors import ProofError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space
from ternary_trainer.architecture import Architecture, Network, Residual
from ternary_trainer.model import TernaryVAE, initial

SPACES = [Space(2, 3), Space(4, 2), Space(3, 3)]


def model_of(space: Space) -> TernaryVAE:
    networks = {
        "A": Network(encoder=(24,), decoder=(24,), skip=True),
        "B": Network(encoder=(24,), decoder=Residual(width=24, blocks=1), skip=True),
        "C": Network(encoder=(24,), decoder=()),
    }
    return initial(1, Architecture.of(Signature(space, 16, tuple(networks)), networks)).eval()


def compared(written: TernaryVAE, network: TernaryVAE, path: str) -> Parity:
    with Workers(1) as workers:
        encoder, decoder = load(
            write_graphs(written.state_dict(), written.signature), path, workers, written.signature
        )
        assert encoder is not None
        return measure(network, path, encoder, decoder)


@pytest.mark.parametrize("path", ["A", "B", "C"])
@pytest.mark.parametrize("space", SPACES, ids=str)
def test_graphs_compute_what_the_network_does(space: Space, path: str) -> None:
    model = model_of(space)
    found = compared(model, model, path)
    assert found.sampled == (None if space.listed else SAMPLED)
    assert found.operations >= 0.99 * min(space.size, SAMPLED)
    assert float(found.logits) < 1e-5


def test_another_linear_map_beside_the_decoder_is_noticed() -> None:
    written, network = model_of(SPACES[1]), model_of(SPACES[1])
    with torch.no_grad():
        network.decoder("A").get_parameter("skip.weight")[5, 3] += 0.01
    with pytest.raises(ProofError, match=r"^decoder_A.onnx: its logits differ from the network's by "):
        compared(written, network, "A")
