"""
State dict to ONNX: the graphs of a package, node by node.

The graphs are written out by hand instead of traced: their bytes then depend on the weights alone, carry no
metadata, and the decoder can be laid out for speed (``operation_tail``).
"""

from collections.abc import Mapping

from ternary_export.graph_builder import Floats, GraphBuilder
from ternary_export.operation_tail import class_first, operation
from ternary_sdk._internal.graphs.interface import of_decoder, of_encoder
from ternary_sdk.signature import STANDARD, Signature

State = Mapping[str, Floats]


class _Layers(GraphBuilder):
    """A graph whose layers are those of a state dict."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self._state = state

    def layer(self, name: str, source: str, output: str) -> str:
        return self.linear(source, name, *self.weights(name), output)

    def weights(self, name: str) -> tuple[Floats, Floats]:
        return self._state[f"{name}.weight"], self._state[f"{name}.bias"]

    def relu(self, source: str) -> str:
        return self.node("Relu", [source], f"{source}.relu")


def encoder_graph(state: State, path: str, signature: Signature = STANDARD) -> bytes:
    """The encoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: The path's letter.
        signature: What the model is of.
    Returns:
        ONNX bytes: ``operations`` (n, cells) to ``mean`` and ``log_variance``, (n, latent_size) each.
    """
    graph = _Layers(state)
    hidden = "operations"
    for layer in _layers(state, f"encoder_{path}.encoder"):
        hidden = graph.relu(graph.layer(f"encoder_{path}.encoder.{layer}", hidden, f"hidden.{layer}"))
    graph.layer(f"encoder_{path}.fc_mu", hidden, "mean")
    graph.layer(f"encoder_{path}.fc_logvar", hidden, "log_variance")
    return graph.finish(f"encoder_{path}", of_encoder(signature))


def decoder_graph(state: State, path: str, signature: Signature = STANDARD) -> bytes:
    """The decoder of a path.

    Args:
        state: The snapshot's tensors by their state-dict names, float32.
        path: The path's letter.
        signature: What the model is of.
    Returns:
        ONNX bytes: ``latents`` (n, latent_size) to ``index`` int32 (n,) and ``logits`` (radix, cells, n),
        class first; in spaces of more than 2^24 operations ``digits`` int32 (cells, n) instead of the index.
    """
    graph = _Layers(state)
    residual = f"decoder_{path}.fc_in.weight" in state
    hidden, last = (_residual_layers if residual else _plain_layers)(graph, state, f"decoder_{path}")
    rows = class_first(graph, hidden, last, *graph.weights(last), signature.space, skip=_skip(state, path))
    operation(graph, rows, signature.space)
    return graph.finish(f"decoder_{path}", of_decoder(signature))


def _skip(state: State, path: str) -> tuple[str, Floats] | None:
    """The name and the weights of the linear map that a path adds to its logits, if it has one."""
    layer = f"decoder_{path}.skip"
    return (layer, state[f"{layer}.weight"]) if f"{layer}.weight" in state else None


def _layers(state: State, name: str) -> list[int]:
    """The numbers of a sequence's linear layers, ascending."""
    found = (key.removeprefix(f"{name}.").split(".") for key in state if key.startswith(f"{name}."))
    return sorted({int(parts[0]) for parts in found if parts[-1] == "weight"})


def _plain_layers(graph: _Layers, state: State, decoder: str) -> tuple[str, str]:
    *inner, last = _layers(state, f"{decoder}.decoder")
    hidden = "latents"
    for layer in inner:
        hidden = graph.relu(graph.layer(f"{decoder}.decoder.{layer}", hidden, f"hidden.{layer}"))
    return hidden, f"{decoder}.decoder.{last}"


def _residual_layers(graph: _Layers, state: State, decoder: str) -> tuple[str, str]:
    """All blocks but the last are followed by a ReLU."""
    hidden = graph.relu(graph.layer(f"{decoder}.fc_in", "latents", "hidden"))
    blocks = 1
    while f"{decoder}.residual{blocks + 1}.block.0.weight" in state:
        hidden = graph.relu(_residual(graph, decoder, f"residual{blocks}", hidden))
        blocks += 1
    return _residual(graph, decoder, f"residual{blocks}", hidden), f"{decoder}.fc_out"


def _residual(graph: _Layers, decoder: str, block: str, hidden: str) -> str:
    inner = graph.relu(graph.layer(f"{decoder}.{block}.block.0", hidden, f"{block}.0"))
    change = graph.layer(f"{decoder}.{block}.block.2", inner, f"{block}.2")
    return graph.node("Add", [change, hidden], f"{block}.sum")
