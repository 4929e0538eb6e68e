"""How much a package may make a client compute, in the largest space that is listed."""

import itertools
from datetime import UTC, datetime

import pytest
from tests.encoders import encoder_of
from tests.networks import untrained_of

from ternary_export.graph import decoder_graph
from ternary_sdk._internal.graphs import firewall
from ternary_sdk._internal.graphs.interface import of_decoder, of_encoder
from ternary_sdk._internal.packages.inspection import inspected
from ternary_sdk._internal.packages.manifest import Manifest
from ternary_sdk._internal.packages.manifest_entries import Graph, ModelPath
from ternary_sdk.errors import FormatError
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

SEPTENARY = Signature(Space(7, 1), 16, ("A", "B", "C"))
MOST = 5_340_353
"""2^42 / 7^7: the most work for each operation."""

Listed = tuple[Manifest, dict[str, bytes]]


def listed(*encoders: tuple[bytes, int], width: int = 24) -> Listed:
    """A manifest of one path for each encoder and its number of parameters, and all graphs."""
    paths, graphs = [], {}
    state = untrained_of(SEPTENARY, width=width)
    for letter, (encoder, parameters) in zip(SEPTENARY.paths, encoders, strict=False):
        tensors = [value.size for name, value in state.items() if name.startswith(f"decoder_{letter}.")]
        graphs[f"encoder_{letter}.onnx"] = encoder
        graphs[f"decoder_{letter}.onnx"] = decoder_graph(state, letter, SEPTENARY)
        paths.append(
            ModelPath(
                path=letter,
                encoder=Graph(member=f"encoder_{letter}.onnx", parameters=parameters),
                decoder=Graph(member=f"decoder_{letter}.onnx", parameters=sum(tensors)),
            )
        )
    manifest = Manifest(
        name="acme", version=(1, 0, 0), released=datetime(2026, 1, 1, tzinfo=UTC), default_path="A",
        space=SEPTENARY.space, latent_size=16, paths=tuple(paths), members=(),
    )  # fmt: skip
    return manifest, graphs


def of_widths(widths: list[int], *activations: str) -> tuple[bytes, int]:
    sizes = [7, *widths, 16]
    parameters = sum((size + 1) * out for size, out in itertools.pairwise(sizes))
    return encoder_of(SEPTENARY, widths, *activations), parameters


def row(manifest: Manifest, graphs: dict[str, bytes]) -> int:
    """The work of one row of all graphs, which the firewall counts one by one."""
    total = 0
    for name, graph in graphs.items():
        interface = (of_encoder if name.startswith("encoder") else of_decoder)(SEPTENARY)
        total += firewall.inspect(graph, what=name, interface=interface, parameters=None)
    return total


def close_to_the_limit(width: int) -> Listed:
    """Two encoders of the most elements, and one whose parameters fill what is left."""
    dear = of_widths([1008], "Softplus", "Softplus")
    return listed(dear, dear, of_widths([1000, width]))


def test_all_graphs_of_a_package_may_cost_this_much_and_no_more() -> None:
    narrow, wider = row(*close_to_the_limit(1)), row(*close_to_the_limit(2))
    width = 1 + (MOST - narrow) // (wider - narrow)
    manifest, graphs = close_to_the_limit(width)
    assert MOST - 1100 < row(manifest, graphs) <= MOST
    assert inspected(manifest, graphs) == graphs
    manifest, graphs = close_to_the_limit(width + 1)
    work = row(manifest, graphs) * 823_543
    with pytest.raises(FormatError) as found:
        inspected(manifest, graphs)
    assert str(found.value) == (
        f"acme-1.0.0: its graphs cost {work:,} multiplications on all 823,543 operations, "
        "expected at most 4,398,046,511,104"
    )


def test_two_paths_of_300_000_parameters_each_cost_a_third_of_it() -> None:
    encoder = of_widths([256, 256, 256], *["Relu"] * 3)
    manifest, graphs = listed(encoder, encoder, width=380)
    for path in manifest.paths:
        assert path.encoder is not None
        assert path.encoder.parameters + path.decoder.parameters > 300_000
    assert 3 * row(manifest, graphs) < MOST
    assert inspected(manifest, graphs) == graphs
