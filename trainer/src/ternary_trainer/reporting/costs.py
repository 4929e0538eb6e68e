"""
The report's tables of what a model takes: compute for its training, bits for a latent, bytes for a decoder.
"""

import math
from collections.abc import Mapping
from typing import Final

from ternary_sdk.space import Space
from ternary_trainer.compression import table_bytes
from ternary_trainer.compute import Price, Stretch
from ternary_trainer.reporting.reported import Reported

STRETCHES: Final[Mapping[str, str]] = {
    "until": "until the snapshot that is shipped",
    "after": "after it",
    "saved": "saved by stopping, estimated",
}
CORE_SECONDS: Final = (
    "A core-second is one second of one core at work, added up over all threads of the training's process. "
    "Wall seconds multiplied by the machine's cores would be more: they count cores that wait."
)
NO_CORE_SECONDS: Final = (
    "Core-seconds were not recorded: an older release trained this run, or part of it. What is known is wall "
    "time."
)
COMPRESSION: Final = (
    "How many bits name one operation, and how many bytes hold all of them. The index alone needs log2 of "
    "the number of operations, and a formula makes the table from it: its digits are the cells. A latent has "
    "many more bits. Rounded, each dimension keeps as few levels as a greedy search finds with which every "
    "operation still decodes; fewer may be possible."
)


def compute(content: Reported) -> list[str]:
    """What the figures of ``compute_rows`` mean."""
    if content.run is None:
        return []
    told = [CORE_SECONDS if content.run.compute(content.rule).measured else NO_CORE_SECONDS]
    device = str(content.run.facts.get("device", "cpu"))
    if device != "cpu":
        told.append(f"It was trained on {device}; the time of a GPU is not counted.")
    if content.price is not None:
        hourly = f"{content.price.per_core_hour:,.10g} {content.price.currency}"
        told.append(f"The price is that of the core-seconds, at {hourly} for an hour of one core.")
    return told


def compute_header(content: Reported) -> tuple[str, ...]:
    """The columns of ``compute_rows``."""
    price = () if content.price is None else ("price",)
    return "epochs", "how many", "wall seconds", "core-seconds", *price


def compute_rows(content: Reported) -> list[tuple[str, ...]]:
    """What each stretch of the training took."""
    if content.run is None:
        return []
    stretches = content.run.compute(content.rule).stretches
    return [(STRETCHES[name], *_took(stretch, content.price)) for name, stretch in stretches.items()]


def _took(stretch: Stretch, price: Price | None) -> tuple[str, ...]:
    cores = "not recorded" if stretch.core_seconds is None else f"{stretch.core_seconds:,.1f}"
    took = str(stretch.epochs), f"{stretch.seconds:,.1f}", cores
    if price is None:
        return took
    cost = price.of(stretch)
    return *took, "not known" if cost is None else price.shown(cost)


def compression_header(content: Reported) -> tuple[str, ...]:
    """The columns of ``compression``."""
    return "", *(f"path {path}" for path in content.paths)


def compression(content: Reported) -> list[tuple[str, ...]]:
    """Bits for an operation and bytes for all of them, a row each."""
    space, measured = content.signature.space, [path.compressed for path in content.paths.values()]

    def alike(figure: str) -> tuple[str, ...]:
        return (figure,) * len(measured)

    bits, in_all = _figure(math.log2(space.size)), _listed_bytes(space)
    return [
        (f"bits that name one of {space.size:,} operations", *alike(bits)),
        ("bits of a latent, levels of one width", *(_figure(path.uniform) for path in measured)),
        ("bits of a latent, levels of least squared error", *(_figure(path.learned) for path in measured)),
        ("negative ELBO at beta 1, validation operations, bits", *(_figure(path.elbo) for path in measured)),
        ("bits of a latent as float32", *(_figure(path.stored) for path in measured)),
        ("bytes of the decoder's weights as float32", *(_figure(path.weights) for path in measured)),
        ("bytes of a list of all operations, no gaps", *alike(in_all)),
        ("bytes of the formula's data", *alike("0")),
    ]


def _listed_bytes(space: Space) -> str:
    return f"{table_bytes(space)['no gaps']:,}" if space.listed else "no list can be made"


def _figure(figure: float | str) -> str:
    if isinstance(figure, str):
        return figure
    if isinstance(figure, int):
        return f"{figure:,}"
    return f"{math.ceil(round(100 * figure, 6)) / 100:.2f}"  # up: fewer bits would not do
