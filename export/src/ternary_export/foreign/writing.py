"""
Writing a network in the subset of ONNX that packages hold, as ``graph`` writes our own.
"""

from dataclasses import replace

import numpy as np

from ternary_export.foreign.network import Activation, Linear, Network, Pairwise
from ternary_export.graph_builder import GraphBuilder
from ternary_export.operation_tail import class_first, operation
from ternary_sdk._internal.graphs.interface import of_decoder, of_encoder
from ternary_sdk.signature import Signature


class _Writer(GraphBuilder):
    """A graph whose nodes are the steps of a network."""

    def steps(self, network: Network, names: dict[int, str], last: int) -> None:
        """Append steps up to a number; ``names`` has the input's name and those that outputs must have."""
        for number, step in enumerate(network.steps[:last], 1):
            output = names.setdefault(number, f"step.{number}")
            if isinstance(step, Linear):
                self.linear(names[step.source], f"layer.{number}", step.weight, step.bias, output)
            elif isinstance(step, Activation):
                inputs = [names[step.source]]
                if step.slope is not None:
                    inputs.append(self.constant(f"slope.{number}", np.array([step.slope], np.float32)))
                self.node(step.operator, inputs, output)
            elif isinstance(step, Pairwise):
                self.node(step.operator, [names[step.left], names[step.right]], output)
            else:
                self.node("Concat", [names[source] for source in step.sources], output, axis=1)


def encoder_graph(network: Network, path: str, signature: Signature) -> bytes:
    """The encoder of a path.

    Args:
        network: Values of truth tables to mean, or to mean and log-variance; each output a step of its own.
        path: The path's letter.
        signature: What the model is of.
    """
    interface = of_encoder(signature)
    interface = replace(interface, outputs=interface.outputs[: len(network.outputs)])
    given = (tensor.name for tensor in interface.outputs)
    names = {0: interface.inputs[0].name, **dict(zip(network.outputs, given, strict=True))}
    graph = _Writer()
    graph.steps(network, names, len(network.steps))
    return graph.finish(f"encoder_{path}", interface)


def decoder_graph(network: Network, path: str, signature: Signature) -> bytes:
    """The decoder of a path.

    Args:
        network: Latents to logits, cell by cell; the last step is the layer that gives them.
        path: The path's letter.
        signature: What the model is of.
    """
    interface, graph, names = of_decoder(signature), _Writer(), {0: "latents"}
    *_, last = network.steps
    if not isinstance(last, Linear) or network.outputs != (len(network.steps),):
        raise TypeError("decoder network: its last step is not the layer that gives the logits")
    graph.steps(network, names, len(network.steps) - 1)
    layer, space = f"layer.{len(network.steps)}", signature.space
    rows = class_first(graph, names[last.source], layer, last.weight, last.bias, space)
    operation(graph, rows, space)
    return graph.finish(f"decoder_{path}", interface)
