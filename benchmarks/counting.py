"""Counting draws of vast spaces, end to end, beside the decoder's bare matrix products."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from onnx import TensorProto, helper

from benchmarks.measurement import Measurement
from ternary_export.graph import decoder_graph
from ternary_sdk._internal.counting.counting import count
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.inference.runtime import BLOCK, load
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.signature import Signature
from ternary_trainer.model import initial
from ternary_trainer.recipe import load as load_recipe

LEAST = {
    ("quaternary", "A"): 0.05,
    ("quaternary", "B"): 0.5,
    ("ternary-3", "A"): 0.05,
    ("ternary-3", "B"): 0.05,
}
"""Latents, the highest logits, margins and sorting cost 0.3 to 0.7 µs a draw, whatever the decoder. Products
of a linear decoder take 0.03 to 0.07 µs, so they are a tenth of it. So half of it can be asked of the widest
decoder alone."""
DRAWS = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """A path of a recipe, with a decoder as it is before training: all of its speed that matters is there."""

    recipe: str
    path: str
    signature: Signature
    decoder: bytes

    @classmethod
    def of(cls, recipe: str, path: str) -> "Shipped":
        """An untrained one. More of its draws are near ties, which are no slower."""
        architecture = load_recipe(recipe).architecture
        state = {name: tensor.numpy() for name, tensor in initial(1, architecture).state_dict().items()}
        signature = replace(architecture.signature, paths=(path,))
        return cls(
            recipe=recipe, path=path, signature=signature, decoder=decoder_graph(state, path, signature)
        )


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(usable_cores(), mp_context=context) as pool:
        shipped = [Shipped.of(recipe, path) for recipe, path in LEAST]
        _counted(pool, shipped[0], DRAWS, usable_cores())  # the processes are there from now on
        for one in shipped:
            yield _share_of_the_products(one)
        yield from _cost_of_a_draw(pool, shipped[-2])


def _share_of_the_products(shipped: Shipped) -> Measurement:
    """How much of a draw's processor time the decoder's matrix products take; files are part of the rest.

    By processor time and in one thread, because other programs disturb the clock.
    """
    with ThreadPoolExecutor(1) as thread:
        whole = min(_used(lambda: _counted(thread, shipped, DRAWS)) for _ in range(3)) / DRAWS
    products = _products_of_a_draw(shipped)
    detail = f"{1e6 * products:.2f} of {1e6 * whole:.2f} µs a draw of one core"
    return Measurement(
        name=f"share of products in a count, {shipped.recipe}, {shipped.path}",
        value=products / whole,
        unit="",
        least=LEAST[shipped.recipe, shipped.path],
        detail=detail,
    )


def _cost_of_a_draw(pool: Executor, shipped: Shipped) -> Iterator[Measurement]:
    """Of a linear decoder, so that counting is as large a part of it as it can be."""
    costs = dict[int, float]()
    for exponent in (6, 7, 8):
        draws = 10**exponent
        costs[exponent] = 1e6 * _counted(pool, shipped, draws, usable_cores()) / draws
        name = f"10^{exponent} draws of {shipped.recipe}, path {shipped.path}"
        yield Measurement(name=name, value=costs[exponent], unit="µs/draw")
    yield Measurement(
        name="cost of a draw, 10^8 beside 10^6", value=costs[8] / costs[6], unit="times", most=1.25
    )


def _counted(pool: Executor, shipped: Shipped, draws: int, workers: int = 1) -> float:
    """Seconds that a count takes."""
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        count(
            shipped.decoder, shipped.signature, seed=7, draws=draws, folder=Path(folder), memory=1 << 30,
            executor=pool, workers=workers,
        )  # fmt: skip
        return time.perf_counter() - start


def _products_of_a_draw(shipped: Shipped) -> float:
    """Seconds that matrix products, sums and ReLUs take for a draw, of latents made beforehand."""
    chain = load(_products(shipped.decoder, shipped.signature), "chain")
    latents = CURRENT.of(shipped.signature.latent_size).prior(7, 0, BLOCK)

    def run() -> None:
        for _ in range(64):
            chain.run(None, {"latents": latents})

    return min(_used(run) for _ in range(5)) / 64 / BLOCK


def _used(work: Callable[[], object]) -> float:
    """Seconds of processor time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _products(model: bytes, signature: Signature) -> bytes:
    """The decoder up to its rows of logits."""
    whole = onnx.load_from_string(model)
    nodes = list(whole.graph.node)
    nodes = nodes[: [node.op_type for node in nodes].index("Reshape")]
    used = {name for node in nodes for name in node.input}
    rows = helper.make_tensor_value_info(
        nodes[-1].output[0], TensorProto.FLOAT, [signature.space.cells * signature.space.radix, "n"]
    )
    kept = [tensor for tensor in whole.graph.initializer if tensor.name in used]
    graph = helper.make_graph(nodes, "chain", list(whole.graph.input), [rows], kept)
    chain = helper.make_model(graph, opset_imports=list(whole.opset_import), ir_version=whole.ir_version)
    return chain.SerializeToString()
