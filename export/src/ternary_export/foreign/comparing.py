"""
Whether what is shipped computes what was brought, and whether other machines will find the same margins.

The file that was given runs in ONNX Runtime beside the graphs that were written from it, on random latents
and on all tables, or a sample of them in a vast space. Double precision stands for exact arithmetic: two
machines whose margins are each within 2.4e-4 of exact ones differ by less than the 5e-4 that a verifier
allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_UP, Decimal
from typing import Any, Final

import numpy as np

from ternary_export import sample
from ternary_export.foreign.fitting import Fitted, hot
from ternary_export.foreign.network import Doubles, Floats
from ternary_export.provenance import Parity
from ternary_sdk._internal.inference.runtime import BLOCK, Decoder, Encoder, load, margin_of
from ternary_sdk._internal.streams.stream import CURRENT
from ternary_sdk.errors import FormatError, ProofError
from ternary_sdk.space import Tables

RANDOM: Final = 16 * BLOCK
"""How many random latents are compared."""

TOLERANCE: Final = 1e-5
"""By how much a mean or logit may differ from the file's, as a share of the largest, of 10 at least."""

LARGEST: Final = 1000.0
"""From here on larger numbers allow no larger difference."""

MOST_NOISE: Final = 2.4e-4
"""By how much a margin in single precision may differ from the exact one."""

_TYPES: Final = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int8)": np.int8,
    "tensor(int32)": np.int32, "tensor(int64)": np.int64,
}  # fmt: skip


class Given:
    """The file that was given, in ONNX Runtime.

    Args:
        fitted: The model, understood: its operators are known and harmless.
    Raises:
        FormatError: If ONNX Runtime refuses it.
    """

    def __init__(self, fitted: Fitted) -> None:
        self._fitted = fitted
        self._session = load(fitted.foreign.data, fitted.foreign.what)
        self._type = _TYPES[self._session.get_inputs()[0].type]

    def compute(self, rows: Floats) -> list[Doubles]:
        """The outputs of rows, shape (n, width), in the order that packages have, each (n, numbers)."""
        foreign, outputs = self._fitted.foreign, [name for name, _ in self._fitted.foreign.outputs]
        parts = []
        for block in _blocks(rows, BLOCK if foreign.batch == -1 else foreign.batch):
            shaped = block.reshape(-1, *foreign.tail).astype(self._type)
            parts.append(self._run(outputs, {foreign.input: shaped}))
        joined = [
            np.concatenate([found.reshape(len(found), -1) for found in each])
            for each in zip(*parts, strict=True)
        ]
        return [
            joined[number][: len(rows), list(places)].astype(np.float64)
            for number, places in self._fitted.picks
        ]

    def _run(self, outputs: list[str], feed: dict[str, Any]) -> list[Any]:
        try:
            results: list[Any] = self._session.run(outputs, feed)
        except Exception as error:  # noqa: BLE001 (ONNX Runtime has no base class for its errors)
            reason = " ".join(str(error).split())[:200]
            raise FormatError(f"{self._fitted.foreign.what}: ONNX Runtime cannot run it ({reason})") from None
        return results


def _blocks(rows: Floats, size: int) -> Iterator[Floats]:
    for start in range(0, len(rows), size):
        block = rows[start : start + size]
        yield np.concatenate([block, np.zeros((size - len(block), rows.shape[1]), rows.dtype)])


@dataclass
class _Gap:
    """The largest difference found so far, and the largest number it was found among."""

    found: float = 0.0
    largest: float = 10.0

    def widen(self, found: Floats | Doubles, expected: Doubles) -> None:
        """Take further numbers into account; NaN, once it is there, stays."""
        with np.errstate(invalid="ignore", over="ignore"):
            self.found = float(np.maximum(self.found, np.abs(found - expected).max()))
            self.largest = float(np.maximum(self.largest, np.abs(expected).max()))

    @property
    def allowed(self) -> float:
        """The largest difference that is allowed between a file and what was written from it."""
        return TOLERANCE * min(self.largest, LARGEST)


@dataclass(kw_only=True)
class _Gaps:
    """What was compared."""

    mean: _Gap = field(default_factory=_Gap)
    logits: _Gap = field(default_factory=_Gap)
    margin: _Gap = field(default_factory=_Gap)
    """Of margins in single precision from exact ones."""


def measure(
    path: str,
    fitted_decoder: Fitted,
    decoder: Decoder,
    fitted_encoder: Fitted | None,
    encoder: Encoder | None,
) -> Parity:
    """Compare a path's graphs with the files that were given and with exact arithmetic.

    Args:
        path: The path's letter.
        fitted_decoder: The decoder that was given.
        decoder: The one that was written.
        fitted_encoder: The encoder that was given, if there is one.
        encoder: The one that was written.
    Raises:
        ProofError: If a mean or a logit differs from the file's by more than 1e-5 of the largest, or a margin
            from the exact one by more than 2.4e-4.
        FormatError: If ONNX Runtime cannot run a file.
    """
    given, gaps, same = Given(fitted_decoder), _Gaps(), 0
    latents = CURRENT.of(decoder.signature.latent_size).prior(0, 0, RANDOM)
    same_random = _compare(gaps, given, fitted_decoder, decoder, latents, latents.astype(np.float64))
    if fitted_encoder is None or encoder is None:
        _check(gaps, fitted_decoder, None)
        return Parity(
            path=path, mean=None, logits=_upper(gaps.logits.found), operations=same_random, random=RANDOM
        )
    given_encoder, space = Given(fitted_encoder), decoder.space
    for tables in _blocks_of(sample.compared(space)):
        means = encoder.mean(tables)
        fed = hot(tables, space) if fitted_encoder.one_hot else tables.astype(np.float32)
        gaps.mean.widen(means, given_encoder.compute(fed)[0])
        exact = fitted_encoder.network.compute(tables.astype(np.float64))[0]
        same += _compare(gaps, given, fitted_decoder, decoder, means, exact)
    _check(gaps, fitted_decoder, fitted_encoder)
    return Parity(
        path=path,
        mean=_upper(gaps.mean.found),
        logits=_upper(gaps.logits.found),
        operations=same,
        sampled=None if space.listed else sample.SAMPLED,
    )


def _blocks_of(tables: Tables) -> Iterator[Tables]:
    step = 8 * BLOCK
    return (tables[start : start + step] for start in range(0, len(tables), step))


def _compare(
    gaps: _Gaps, given: Given, fitted: Fitted, decoder: Decoder, latents: Floats, exact_latents: Doubles
) -> int:
    """How many latents decode to the same operation in both; the gaps are widened."""
    space = decoder.space
    written, expected = decoder.logits(latents), given.compute(latents)[0]
    expected = expected.reshape(written.shape)
    gaps.logits.widen(written, expected)
    exact = fitted.network.compute(exact_latents)[0].reshape(written.shape)
    gaps.margin.widen(_margins(written.astype(np.float64)), _margins(exact))
    found = decoder.index(latents)
    return int((found == space.to_index(expected.argmax(axis=2) + space.lowest)).sum())


def _margins(logits: Doubles) -> Doubles:
    """Margins, shape (n,), of logits, shape (n, cells, radix)."""
    return margin_of(logits.transpose(2, 1, 0))


def _check(gaps: _Gaps, decoder: Fitted, encoder: Fitted | None) -> None:
    if encoder is not None:
        _check_same(gaps.mean, encoder, "means")
    _check_same(gaps.logits, decoder, "logits")
    if not gaps.margin.found <= MOST_NOISE:
        raise ProofError(
            f"{decoder.foreign.what}: its margins in single precision are {gaps.margin.found:.2e} off exact "
            f"ones, at most {MOST_NOISE}: other machines would find other margins; nearest: smaller weights"
        )


def _check_same(gap: _Gap, fitted: Fitted, what: str) -> None:
    if not gap.found <= gap.allowed:
        raise ProofError(
            f"{fitted.foreign.what}: as it would be shipped its {what} differ from the file's "
            f"by {gap.found:.2e}, at most {gap.allowed:.2e}"
        )


def _upper(difference: float) -> str:
    """A largest difference with nine decimals, never less than it is."""
    return f"{Decimal(difference).quantize(Decimal('1e-9'), rounding=ROUND_UP):f}"
