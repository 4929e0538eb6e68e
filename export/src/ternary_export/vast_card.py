"""
What the model card says of a vast space, where coverage is certified with confidence.

Every figure is read from the certificate, stands with its number of draws, and beside what as many perfect
draws give.
"""

from typing import Final

from ternary_sdk._internal.certificates.statistics import ALPHA, in_percent
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk.space import Space


def headline(path: VastPath) -> str:
    """How even the draws of a path are, in one sentence."""
    evenness = path.evenness
    return (
        f"its clear draws are at least as varied as throws of a fair die with "
        f"{evenness.effective_number:,} faces, {_percent(evenness.effective_number, path.space)} % of all "
        f"operations, as {evenness.draws:,} draws, by the vendor's count, show; at most "
        f"{in_percent(evenness.near_tie_share_at_most)} % are left out; as many perfect draws show "
        f"{_percent(evenness.perfect_effective_number, path.space)} %"
    )


def draws_table(paths: tuple[VastPath, ...]) -> str:
    """Counts and bounds of each path's draws, beside what perfect draws give."""
    heads = ["path", "draws", "near ties", "different operations", "once", "twice", "effective number"]
    heads.append("left out, at most")
    rows = [heads, ["---"] * len(heads)]
    for path in paths:
        evenness = path.evenness
        drawn = (evenness.draws, evenness.near_ties, evenness.distinct, evenness.once, evenness.twice)
        shown = [f"{number:,}" for number in (*drawn, evenness.effective_number)]
        rows.append([path.path, *shown, f"{in_percent(evenness.near_tie_share_at_most)} %"])
        distinct, number = f"{evenness.perfect_distinct:,}", f"{evenness.perfect_effective_number:,}"
        rows.append(["perfect draws", f"{evenness.clear:,}", "none", distinct, "", "", number, "none"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def reach_line(path: VastPath) -> str:
    """What share of the space a path was proved to reach."""
    reachable = path.reachable
    if reachable is None:
        return (
            f"- Path {path.path}: at least {path.evenness.effective_number:,} operations can be drawn; "
            "nothing gives a latent for a wanted one, as it has no encoder."
        )
    return (
        f"- Path {path.path}: {reachable.operations:,} operations were chosen uniformly, and "
        f"{reachable.failures:,} failed: their own encoding does not decode to them. So a share of at least "
        f"{reachable.share} of all {path.space.size:,} operations is decoded from its own encoding."
    )


READING: Final = f"""\
The space has too many operations to list, so these are statements with confidence: each bound is wrong with \
a probability of {ALPHA} at most, whatever the model. Near ties, draws whose two best classes differ by less \
than 0.001, are left out: what is said of draws is said of the clear ones only. The effective number is the \
number of faces of a fair die whose throws repeat at least as often. The seed of draws follows from the \
decoder's own bytes, and that of uniform operations from the decoder's and the encoder's, so a vendor who \
wants other luck must change a weight, and each such try costs one count. Digests of blocks prove draws; the \
counts are the vendor's word, signed, until you replay all blocks or count again."""

CHECK: Final = """\
`ternary verify FILE` checks the signatures, computes every bound again from its counts, and proves draws \
and encodings that your machine picks at random. `ternary verify FILE --recount 1e8` counts draws under a \
seed of your own and needs none of the vendor's counts. `coverage.json` and the `.bin` files state \
everything needed to recompute the figures above in any language."""


def _percent(number: int, space: Space) -> str:
    """A share of the space in percent, two decimals, rounded down."""
    hundredths = 10_000 * number // space.size
    return f"{hundredths // 100}.{hundredths % 100:02d}"
