"""What a latent costs in bits and a decoder in bytes, beside a list and a formula."""

import math
from collections.abc import Callable, Collection
from typing import Any, Final

import numpy as np
import onnx
from onnx import numpy_helper

from ternary_sdk import Model
from ternary_sdk.space import TERNARY_2
from ternary_trainer.compression import smallest_code, table_bytes

NOISES: Final = 16


def measure(
    model: Model, tell: Callable[[str], None], *, noises: int = NOISES, paths: Collection[str] = ("A", "B")
) -> dict[str, Any]:
    """Bits and bytes of each path of the evaluation model, and of a list and a formula.

    Args:
        model: Open.
        tell: Is given a line for each step.
        noises: Draws from each operation's posterior for the ELBO.
        paths: Which paths.
    """
    result: dict[str, Any] = {
        "log2 of the operations": math.log2(TERNARY_2.size),
        "float32 latent": 32 * model.signature.latent_size,
        "list, bytes": dict(table_bytes(TERNARY_2)),
        "formula, bytes": 0,
        "paths": {},
    }
    for path in paths:
        used = model._path(path)[1]
        means = model.encode(TERNARY_2.tables, path=path)
        found: dict[str, Any] = {}
        for kind in ("uniform", "learned"):
            code = smallest_code(means, used.decoder.index, kind)
            found[kind] = {
                "levels": list(code.levels),
                "bits": code.bits,
                "separate bits": code.separate_bits,
                "entropy": code.entropy,
            }
            tell(f"path {path}, {kind}: {code.bits:.2f} bits, entropy {code.entropy:.2f}, {code.levels}")
        found["negative ELBO, bits"] = negative_elbo_bits(model, path, noises)
        graph = model.package.graphs[f"decoder_{path}.onnx"]
        found["decoder, bytes"] = {"weights, float32": weight_bytes(graph), "as shipped, ONNX": len(graph)}
        tell(f"path {path}: {found}")
        result["paths"][path] = found
    return result


def negative_elbo_bits(model: Model, path: str, noises: int) -> dict[str, float]:
    """Mean over all operations of -log2 p(operation | latent) + KL to the prior.

    Latents are drawn from the posterior of each.
    """
    used = model._path(path)[1]
    if used.encoder is None:
        raise ValueError(f"path {path}: has no encoder")
    tables = TERNARY_2.tables
    blocks = list(used.encoder.blocks(["mean", "log_variance"], "operations", tables.astype(np.float32)))
    mean, log_variance = (
        np.concatenate([block[place] for block in blocks])[: len(tables)].astype(np.float64)
        for place in (0, 1)
    )
    kl = (np.square(mean) + np.exp(log_variance) - 1 - log_variance).sum(1) / 2
    random, digits = np.random.default_rng(3), tables.astype(np.int64) + 1
    wrong, bad = 0.0, 0.0
    for _ in range(noises):
        noise = random.normal(size=mean.shape)
        logits = used.decoder.logits((mean + noise * np.exp(log_variance / 2)).astype(np.float32))
        chances = logits - np.logaddexp.reduce(logits, axis=2, keepdims=True)
        wrong -= float(np.take_along_axis(chances, digits[:, :, None], 2).sum((1, 2)).mean()) / noises
        bad += float((logits.argmax(2) != digits).any(1).mean()) / noises
    log2 = math.log(2)
    return {
        "in all": (wrong + float(kl.mean())) / log2,
        "reconstruction": wrong / log2,
        "KL": float(kl.mean()) / log2,
        "share of noisy latents that decode to another operation": bad,
    }


def weight_bytes(graph: bytes) -> int:
    """Bytes of a graph's float32 constants, which are its weights."""
    tensors = onnx.load_from_string(graph).graph.initializer
    arrays = (numpy_helper.to_array(tensor) for tensor in tensors)
    return sum(array.nbytes for array in arrays if array.dtype == np.float32)
