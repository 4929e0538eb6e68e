"""What a client feels: a cold command, opening, drawing, counting, and memory."""

import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

from benchmarks.measurement import Measurement, best_of, paired_processes, peak_memory
from ternary_sdk import Model
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.inference.runtime import BLOCK
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.operations import to_index
from ternary_sdk.space import TERNARY_2


def measurements() -> Iterator[Measurement]:
    """Measure everything here, one after the other."""
    yield _cold_start()
    yield _opening()
    with Model.evaluation() as model:
        for path in "AB":
            yield _draws_of_the_ceiling(model, path)
        yield _counting_against_a_set_of_texts(model)
        for path in "AB":
            seconds = best_of(
                lambda path=path: model.sample(TERNARY_2.size, unique=True, seed=7, path=path), 5
            )
            name = f"sample(19683, unique=True), path {path}"
            note = "the default path" if path == model.default_path else ""
            limit = 100.0 if path == model.default_path else None
            yield Measurement(name=name, value=1e3 * seconds, unit="ms", most=limit, detail=note)
        yield _idle(model)
        yield _memory_of_many_draws(model)


def _cold_start() -> Measurement:
    command = [shutil.which("ternary", path=str(Path(sys.executable).parent)) or "ternary"]
    mine, bare, ratio = paired_processes(
        [*command, "sample", "--unique", "-n", "10"], [sys.executable, "-c", "import numpy, onnxruntime"], 9
    )
    detail = f"{mine:.2f} s against {bare:.2f} s for the bare imports"
    return Measurement(
        name="cold `ternary sample --unique -n 10`", value=ratio, unit="times", most=3, detail=detail
    )


def _opening() -> Measurement:
    def work() -> None:
        Model.evaluation().close()

    work()
    return Measurement(
        name="open with full re-proof, imports excluded", value=1e3 * best_of(work, 7), unit="ms", most=100
    )


def _draws_of_the_ceiling(model: Model, path: str) -> Measurement:
    """End to end, random numbers included, against the same decoder's bare Gemm/Relu chain on all cores."""
    draws, cores = (2_000_000, usable_cores()) if path == "A" else (400_000, usable_cores())
    chain = _bare_chain(path)
    values = [CURRENT.prior(seed, 0, BLOCK) for seed in range(cores)]

    def bare() -> None:
        def run(core: int) -> None:
            for _ in range(draws // BLOCK // cores):
                chain.run(None, {"latents": values[core]})

        with ThreadPoolExecutor(cores) as pool:
            list(pool.map(run, range(cores)))

    ratios = []
    for seed in range(5):
        ceiling = draws / best_of(bare, 1)
        mine = draws / best_of(lambda seed=seed: model.count(draws, seed=seed, path=path), 1)
        ratios.append((mine / ceiling, mine, ceiling))
    ratio, mine, ceiling = sorted(ratios)[len(ratios) // 2]
    detail = f"{mine / 1e6:.1f} of {ceiling / 1e6:.1f} million latents/s on {cores} cores"
    return Measurement(
        name=f"prior draws to a validated count, path {path}",
        value=ratio,
        unit="ceilings",
        least=0.45,
        detail=detail,
    )


def _bare_chain(path: str) -> ort.InferenceSession:
    """The matrix products and ReLUs of the shipped decoder, laid out as PyTorch would, and no more."""
    shipped = onnx.load_from_string(_decoder(path))
    constants = {tensor.name: tensor for tensor in shipped.graph.initializer}
    nodes, kept, renamed = [], [], {}
    for node in shipped.graph.node:
        if node.op_type not in ("Gemm", "Relu", "Add"):
            continue
        inputs = [renamed.get(name, name) for name in node.input]
        if inputs[0] in constants:  # the last layer, which the shipped graph runs transposed
            weight, hidden, bias = inputs
            flat = numpy_helper.to_array(constants[bias]).ravel()
            constants[bias].CopyFrom(numpy_helper.from_array(flat, bias))
            inputs = [hidden, weight, bias]
        nodes.append(helper.make_node(node.op_type, inputs, [node.output[0]]))
        if node.op_type == "Gemm":
            nodes[-1].attribute.append(helper.make_attribute("transB", 1))
        kept += [constants[name] for name in inputs if name in constants]
    end = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, ["n", 27])
    graph = helper.make_graph(nodes, "chain", list(shipped.graph.input), [end], kept)
    model = helper.make_model(graph, opset_imports=list(shipped.opset_import), ir_version=shipped.ir_version)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _decoder(path: str) -> bytes:
    with Model.evaluation() as model:
        return model.package.members[f"decoder_{path}.onnx"]


def _counting_against_a_set_of_texts(model: Model) -> Measurement:
    """Counting 50,000 rows of nine trits by index, against hashing each row's text into a Python set."""
    rows = TERNARY_2.tables[model.sample(50_000, seed=1).index]

    def by_text() -> int:
        return len({str(row) for row in rows.tolist()})

    def by_index() -> int:
        seen = np.zeros(TERNARY_2.size, dtype=np.bool_)
        seen[to_index(rows)] = True
        return int(np.count_nonzero(seen))

    if by_text() != by_index():
        raise SystemExit("the two ways to count disagree")
    ratio = best_of(by_text, 5) / best_of(by_index, 50)
    return Measurement(
        name="counting coverage at 50,000 draws", value=ratio, unit="times", least=40, detail="a set of texts"
    )


def _idle(model: Model) -> Measurement:
    model.count(200_000, seed=1)
    used = time.process_time()
    time.sleep(1.0)
    share = 100 * (time.process_time() - used)
    return Measurement(name="processor use of an idle open model", value=share, unit="percent", most=1)


def _memory_of_many_draws(model: Model) -> Measurement:
    model.count(2_000_000, seed=1, path="A")
    before = peak_memory()
    model.count(100_000_000, seed=2, path="A")
    grown = (peak_memory() - before) / 2**20
    return Measurement(name="memory grown over 100 million draws", value=grown, unit="MiB", most=4)
