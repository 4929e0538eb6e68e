"""Counting draws of vast spaces, end to end, beside the decoder's bare matrix products."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnx import TensorProto, helper

from benchmarks.measurement import Measurement, best_of
from ternary_export.graph import decoder_graph
from ternary_sdk._internal.counting.counting import count
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.inference.runtime import BLOCK, load
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.signature import Signature
from ternary_sdk.space import Space

QUATERNARY = Signature(Space(4, 2), 16, ("A",))
TERNARY_3 = Signature(Space(3, 3), 32, ("A",))
WIDE, NARROW = 192, 24
DRAWS = 1 << 20


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(usable_cores(), mp_context=context) as pool:
        _counted(
            pool, _decoder(QUATERNARY, NARROW), QUATERNARY, 1 << 20
        )  # the processes are there from now on
        for signature in (QUATERNARY, TERNARY_3):
            yield _share_of_the_products(pool, signature)
        yield from _cost_of_a_draw(pool)


def _share_of_the_products(pool: Executor, signature: Signature) -> Measurement:
    """Draws counted a second, files and sorting included, against the decoder's Gemm and Relu alone.

    In turn and in short runs, because other programs disturb both.
    """
    model = _decoder(signature, WIDE)
    ratios = []
    for _ in range(9):
        ceiling = _bare(model, signature)
        mine = DRAWS / _counted(pool, model, signature, DRAWS)
        ratios.append((mine / ceiling, mine, ceiling))
    ratio, mine, ceiling = sorted(ratios)[4]
    detail = f"{mine / 1e3:,.0f} of {ceiling / 1e3:,.0f} thousand draws/s on {usable_cores()} cores"
    name = f"draws to exact counts, {signature.space}, width {WIDE}"
    return Measurement(name=name, value=ratio, unit="ceilings", least=0.5, detail=detail)


def _cost_of_a_draw(pool: Executor) -> Iterator[Measurement]:
    """With a narrow decoder, so that counting is as large a part of it as it can be."""
    model, costs = _decoder(TERNARY_3, NARROW), dict[int, float]()
    for exponent in (6, 7, 8):
        draws = 10**exponent
        costs[exponent] = 1e6 * _counted(pool, model, TERNARY_3, draws) / draws
        name = f"10^{exponent} draws of {TERNARY_3.space}, width {NARROW}"
        yield Measurement(name=name, value=costs[exponent], unit="µs/draw")
    yield Measurement(
        name="cost of a draw, 10^8 beside 10^6", value=costs[8] / costs[6], unit="times", most=1.25
    )


def _counted(pool: Executor, model: bytes, signature: Signature, draws: int) -> float:
    """Seconds that a count takes."""
    with TemporaryDirectory() as folder:
        start = time.perf_counter()
        count(
            model, signature, seed=7, draws=draws, folder=Path(folder), memory=1 << 30, executor=pool,
            workers=usable_cores(),
        )  # fmt: skip
        return time.perf_counter() - start


def _bare(model: bytes, signature: Signature) -> float:
    """Draws a second of the matrix products and ReLUs alone, on all cores, of latents made beforehand."""
    chain = load(_products(model, signature), "chain")
    latents = CURRENT.of(signature.latent_size).prior(7, 0, BLOCK)
    each = DRAWS // 4 // BLOCK // usable_cores()

    def run(_: int) -> None:
        for _ in range(each):
            chain.run(None, {"latents": latents})

    def work() -> None:
        with ThreadPoolExecutor(usable_cores()) as threads:
            list(threads.map(run, range(usable_cores())))

    return each * usable_cores() * BLOCK / best_of(work, 1)


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


def _decoder(signature: Signature, width: int) -> bytes:
    """An untrained decoder with two hidden layers."""
    random, state = np.random.default_rng(1), {}
    sizes = (signature.latent_size, width, width, signature.space.cells * signature.space.radix)
    for number, (size, out) in enumerate(pairwise(sizes)):
        name = f"decoder_A.decoder.{2 * number}"
        state[f"{name}.weight"] = (2 / np.sqrt(size) * random.normal(size=(out, size))).astype(np.float32)
        state[f"{name}.bias"] = (0.3 * random.normal(size=out)).astype(np.float32)
    return decoder_graph(state, "A", signature)
