"""Encoders of any widths, which reach the limits of what a graph may cost."""

import itertools
from dataclasses import replace

import numpy as np

from ternary_export.graph_builder import GraphBuilder
from ternary_sdk._internal.graphs.interface import of_encoder
from ternary_sdk.signature import Signature


def encoder_of(signature: Signature, widths: list[int], *activations: str) -> bytes:
    """An encoder that gives the mean alone, all weights 0; the activations follow the last hidden layer."""
    graph, interface = GraphBuilder(), of_encoder(signature)
    rows, sizes = "operations", [signature.space.cells, *widths]
    for number, (size, out) in enumerate(itertools.pairwise(sizes)):
        zeros = np.zeros((out, size), np.float32)
        rows = graph.linear(rows, f"layer.{number}", zeros, zeros[:, 0], f"hidden.{number}")
    for number, operator in enumerate(activations):
        rows = graph.node(operator, [rows], f"active.{number}")
    zeros = np.zeros((signature.latent_size, sizes[-1]), np.float32)
    graph.linear(rows, "head", zeros, zeros[:, 0], "mean")
    return graph.finish("encoder", replace(interface, outputs=interface.outputs[:1]))
