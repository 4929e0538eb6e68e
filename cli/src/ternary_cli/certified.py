"""
What a certificate says of each path, as facts for programs and as lines for people.

A figure never stands without its number of draws and what perfect draws give with as many; a bound never
without the probability that it is wrong.
"""

from collections.abc import Iterable
from typing import Any, Final

from ternary_sdk._internal.certificates.certificate import Certificate
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.path_coverage import PathCoverage
from ternary_sdk._internal.certificates.statistics import ALPHA, in_percent
from ternary_sdk._internal.certificates.vast_certificate import VastCertificate
from ternary_sdk._internal.certificates.vast_path import VastPath
from ternary_sdk.coverage import iid_deviation, iid_limit, percent, perfect_percent, quoted_draws
from ternary_sdk.space import Space

AS_SIGNED: Final = (
    "This is what the signature states; only bounds were computed here, from the stated counts. 'ternary "
    "verify' proves samples here, and with --recount 1e8 counts draws of your own."
)
"""Of a vast space: whose word the figures of a package are that was only read."""
_NAME: Final = 28


def coverage_facts(claim: PathCoverage | VastPath) -> dict[str, Any]:
    """What a certificate says of one path."""
    return _vast_facts(claim) if isinstance(claim, VastPath) else _listed_facts(claim)


def coverage_lines(certificate: Certificate | VastCertificate) -> list[str]:
    """The same for people, one line per path."""
    return (
        _vast_lines(certificate) if isinstance(certificate, VastCertificate) else _listed_lines(certificate)
    )


def _listed_facts(claim: PathCoverage) -> dict[str, Any]:
    return {
        "stream": claim.stream.generator,
        "seed": seed_words(claim.seed),
        "reachable": len(claim.reachable.operations),
        "reachable_digest": claim.reachable.operations.digest,
        "smallest_margin": claim.reachable.smallest_margin,
        "prior": [
            {
                "draws": prior.draws,
                "operations": prior.operations,
                "percent": percent(prior.coverage),
                "perfect_percent": f"{100 * iid_limit(prior.draws, prior.space):.3f}",
                "perfect_deviation_percent": f"{100 * iid_deviation(prior.draws, prior.space):.3f}",
            }
            for prior in claim.prior
        ],
        "near_ties": len(claim.near_ties),
    }


def _listed_lines(certificate: Certificate) -> list[str]:
    space = certificate.space
    heads = [f"at {draws:,} draws" for draws in quoted_draws(space)]
    perfect = [f"{perfect_percent(draws, space)} %" for draws in quoted_draws(space)]
    width = max(17, 1 + max(map(len, (*heads, *perfect))))
    lines = [_line("path  reachable", heads, width)]
    for claim in certificate.paths:
        reached = f"{len(claim.reachable.operations):,} of {space.size:,}"
        shares = [f"{percent(prior.coverage)} %" for prior in claim.prior]
        lines.append(_line(f"{claim.path:<4}  {reached}", shares, width))
    return [*lines, _line("perfect draws, on average", perfect, width)]


def _vast_facts(claim: VastPath) -> dict[str, Any]:
    evenness, reachable = claim.evenness, claim.reachable
    return {
        "stream": claim.stream.generator,
        "seed": seed_words(claim.seed),
        "alpha": ALPHA,
        "reachable": None
        if reachable is None
        else {
            "seed": f"{reachable.seed:016x}",
            "operations": reachable.operations,
            "failures": reachable.failures,
            "share_at_least": reachable.share,
        },
        **evenness_facts(evenness),
    }


def seed_words(seed: int) -> str:
    """A seed as all output for people and evidence writes it, and ``--seed`` reads it."""
    return f"0x{seed:016x}"


def evenness_facts(evenness: Evenness) -> dict[str, Any]:
    """Counts of draws, and in a vast space the bounds that follow from them.

    What may be 2^53 or more is a string of digits: many readers of JSON would round a number.
    """
    counts = {
        "draws": evenness.draws,
        "near_ties": evenness.near_ties,
        "near_tie_share_at_most": evenness.near_tie_share_at_most,
        "clear": evenness.clear,
        "distinct": evenness.distinct,
        "repeats": evenness.clear - evenness.distinct,
        "once": evenness.once,
        "twice": evenness.twice,
        "pairs": str(evenness.pairs),
    }
    if evenness.space.listed:
        return counts
    return {
        **counts,
        "repeats_at_most": evenness.repeats_at_most,
        "effective_number": str(evenness.effective_number),
        "effective_percent": _percent_of_space(evenness.effective_number, evenness.space),
        "perfect": {
            "distinct": evenness.perfect_distinct,
            "repeats": evenness.clear - evenness.perfect_distinct,
            "effective_number": str(evenness.perfect_effective_number),
            "effective_percent": _percent_of_space(evenness.perfect_effective_number, evenness.space),
        },
    }


def _vast_lines(certificate: VastCertificate) -> list[str]:
    width = 26
    lines = [
        _line("path  draws", ["reachable", "different operations", "effective number", "left out"], width)
    ]
    for claim in certificate.paths:
        evenness, reachable = claim.evenness, claim.reachable
        share = "no encoder" if reachable is None else f"{in_percent(reachable.share)} % or more"
        draws = f"{claim.path:<4}  {evenness.draws:,}"
        number = _effective(evenness.effective_number, claim)
        left_out = f"{in_percent(evenness.near_tie_share_at_most)} % or less"
        lines.append(_line(draws, [share, f"{evenness.distinct:,}", number, left_out], width))
        average = _effective(evenness.perfect_effective_number, claim)
        found = ["", f"{evenness.perfect_distinct:,}", average, "none"]
        lines.append(_line("      perfect draws, average", found, width))
    return [
        *lines,
        "An effective number is of the clear draws; near ties are left out.",
        f"Each bound is wrong with a probability of {ALPHA} at most. Counts of draws are the vendor's.",
    ]


def _line(first: str, figures: Iterable[str], width: int) -> str:
    return f"{first:<{_NAME}}" + "".join(f"{figure:>{width}}" for figure in figures)


def _effective(number: int, claim: VastPath) -> str:
    return f"{number:,} ({_percent_of_space(number, claim.space)} %)"


def _percent_of_space(number: int, space: Space) -> str:
    hundredths = 10_000 * number // space.size
    return f"{hundredths // 100}.{hundredths % 100:02d}"
