"""
What trained weights reach, by the only definition there is: that of their certificate.

Reports and pictures of a run or a checkpoint take their count of reachable operations from here, so they
state what the certificate of the same weights will state.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ternary_export.build import load
from ternary_export.export import write_graphs
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.inference import proof
from ternary_sdk._internal.inference.runtime import Decoder, Encoder, Workers
from ternary_sdk.errors import InputError
from ternary_trainer.recognition import architecture_of


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What one path reaches."""

    claim: PathCoverage
    """What a certificate of the same weights states."""
    margins: npt.NDArray[np.float32]
    """The margin of each operation's witness, shape (size,); 0 where the operation is not reachable."""


def reach(weights: Mapping[str, Tensor]) -> dict[str, Reach]:
    """Write the graphs of all paths in memory and compute their coverage as ``export`` does.

    Args:
        weights: A model's state, as in a v5.5 checkpoint.
    Raises:
        InputError: If the space is vast.
        ProofError: If a path's margins are too large for a certificate.
    """
    signature = architecture_of(weights, "weights").signature
    if not signature.space.listed:
        raise InputError(
            f"weights: are of the vast space {signature.space}; what they reach cannot be listed, expected a"
            " listed space"
        )
    graphs = write_graphs(weights, signature)
    with Workers() as workers:
        return {
            path: _of_path(path, graphs, *load(graphs, path, workers, signature)) for path in signature.paths
        }


def margins(weights: Mapping[str, Tensor]) -> dict[str, npt.NDArray[np.float32]]:
    """The margins of ``reach`` alone, of each path."""
    return {path: found.margins for path, found in reach(weights).items()}


def _of_path(path: str, graphs: Mapping[str, bytes], encoder: Encoder | None, decoder: Decoder) -> Reach:
    digest = hashlib.sha256(graphs[decoder.what]).hexdigest()
    claim = proof.certify(path, encoder, decoder, digest=digest)
    witnesses = proof.reprove(claim, encoder, decoder)
    return Reach(claim=claim, margins=proof.margins(witnesses, decoder))
