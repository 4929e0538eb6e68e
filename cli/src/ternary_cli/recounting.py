"""
``ternary verify --recount``: draws from a seed that the buyer chooses, counted on his own machines.
"""

import math
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ternary_cli.certified import evenness_facts, seed_words
from ternary_cli.progress_line import progress_line
from ternary_cli.terminal import note
from ternary_cli.wanted import Wish
from ternary_sdk._internal.certificates.evenness import Evenness
from ternary_sdk._internal.certificates.statistics import ALPHA, in_percent
from ternary_sdk._internal.counting.counting import LEAST_MEMORY, disk_needed
from ternary_sdk._internal.counting.recount import Recount, recount
from ternary_sdk._internal.executing import cluster
from ternary_sdk._internal.inference.cores import usable_cores
from ternary_sdk._internal.inference.dial import whole
from ternary_sdk.coverage import iid_deviation, iid_limit, percent, perfect_percent
from ternary_sdk.errors import InputError
from ternary_sdk.proved import ProvedModel

_LEAST_PAIRS: Final = 10
_EACH: Final = 2 * LEAST_MEMORY
"""Memory of each worker, unless it is named."""


@dataclass(frozen=True, kw_only=True)
class Recounted:
    """What a recount found of a path."""

    path: str
    found: Recount


def recount_path(model: ProvedModel, wish: Wish) -> Recounted:
    """Draw and count, as the command line says.

    Raises:
        InputError: If something cannot be had, such as a folder, a cluster or memory.
    """
    draws = wish.draws or 0
    seed = secrets.randbits(64) if wish.seed is None else whole(wish.seed, "--seed", 2**64 - 1)
    letter = model.default_path if wish.path is None else wish.path
    try:
        claim = model.package.coverage(letter)
    except InputError:
        raise InputError(f"--path: {letter!r}, expected {' or '.join(model.signature.paths)}") from None
    graphs = model.package.graphs
    with ExitStack() as held:
        folder = held.enter_context(_folder(wish.folder))
        workers, executor = usable_cores(), None
        if wish.cluster is not None:
            connected = held.enter_context(cluster.connected(wish.cluster))
            connected.expect_folder(folder)
            workers, executor = connected.workers, connected.executor
        _say(draws, letter, seed, folder, model, wish)
        tell = held.enter_context(progress_line())
        found = recount(
            graphs[claim.decoder],
            None if claim.encoder is None else graphs[claim.encoder],
            model.signature,
            seed=seed,
            draws=draws,
            folder=folder,
            memory=wish.memory or _EACH * workers,
            executor=executor,
            workers=workers,
            resume=wish.resume,
            tell=tell,
        )
    return Recounted(path=letter, found=found)


def _say(draws: int, path: str, seed: int, folder: Path, model: ProvedModel, wish: Wish) -> None:
    """What will be done, before it is: how much disk it takes, and how to go on."""
    needed = disk_needed(draws, model.space) / 1e9
    again = (
        ""
        if wish.folder is None
        else f"; if it is interrupted, go on with --seed {seed_words(seed)} --resume"
    )
    note(
        f"recount: {draws:,} draws of path {path}, seed {seed_words(seed)}, "
        f"at most {needed:,.3f} GB in {folder}{again}"
    )


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        yield named.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="ternary-recount-") as folder:
        yield Path(folder)


def recount_facts(recounted: Recounted) -> dict[str, Any]:
    """What was found, for programs."""
    found, evenness = recounted.found, recounted.found.evenness
    facts = {"path": recounted.path, "seed": str(found.seed), **evenness_facts(evenness)}
    if evenness.space.listed:
        share = evenness.distinct / evenness.space.size
        facts |= {
            "percent": percent(share),
            "perfect_percent": f"{100 * iid_limit(evenness.clear, evenness.space):.3f}",
            "perfect_deviation_percent": f"{100 * iid_deviation(evenness.clear, evenness.space):.3f}",
        }
    compared = _compared(evenness)
    facts["pairs_of_perfect"] = None if compared is None else f"{compared[0]:.4f}"
    facts["pairs_of_perfect_deviation"] = None if compared is None else f"{compared[1]:.4f}"
    tried = None
    if found.tried is not None:
        tried = {
            "operations": found.tried.operations,
            "failures": found.tried.failures,
            "share_at_least": found.tried.share_at_least,
        }
    return facts | {"uniform_operations": tried}


def _compared(evenness: Evenness) -> tuple[float, float] | None:
    """How many times as many pairs of equal draws there are as perfect draws give on average; its deviation.

    It estimates N times the probability that two draws are equal. The deviation is that of a Poisson number
    of pairs, √pairs, in the same unit; where single operations are much more likely than others it is larger.
    None where perfect draws give fewer than ten: a few pairs more or less would say anything.
    """
    expected = evenness.clear * (evenness.clear - 1) / 2 / evenness.space.size
    if expected < _LEAST_PAIRS:
        return None
    return evenness.pairs / expected, math.sqrt(max(evenness.pairs, 1)) / expected


def _with_deviation(value: float, deviation: float) -> str:
    """Both with the decimals of the deviation's second digit: ``1.73 ± 0.12``."""
    decimals = max(0, 1 - math.floor(math.log10(deviation)))
    return f"{value:.{decimals}f} ± {deviation:.{decimals}f}"


def recount_lines(recounted: Recounted) -> list[str]:
    """The same for people."""
    facts, evenness = recount_facts(recounted), recounted.found.evenness
    seed = seed_words(recounted.found.seed)
    lines = [f"{evenness.draws:,} draws with seed {seed}, {facts['near_ties']:,} near ties left out"]
    if evenness.space.listed:
        lines.append(
            f"{evenness.distinct:,} of {evenness.space.size:,} operations, {facts['percent']} % "
            f"(perfect draws, on average {perfect_percent(evenness.clear, evenness.space)} %)"
        )
    else:
        lines += _vast_lines(facts, evenness)
    compared = _compared(evenness)
    words = f"{evenness.pairs:,} pairs of equal draws"
    if compared is not None:
        words += f", {_with_deviation(*compared)} times as many as perfect draws give on average"
    lines.append(words)
    if not evenness.space.listed:
        lines.append(f"each bound is wrong with a probability of {ALPHA} at most")
    lead = f"path {recounted.path}: recounted here: "
    return [lead + line for line in lines]


def _vast_lines(facts: Mapping[str, Any], evenness: Evenness) -> list[str]:
    perfect, tried = facts["perfect"], facts["uniform_operations"]
    lines = [
        f"{facts['distinct']:,} different operations, {facts['repeats']:,} repeats "
        f"(perfect draws, on average {perfect['distinct']:,} and {perfect['repeats']:,})",
        f"effective number {evenness.effective_number:,} or more, "
        f"{facts['effective_percent']} % of the space, of its clear draws; "
        f"at most {in_percent(facts['near_tie_share_at_most'])} % are left out",
        f"perfect draws would, on average, give {evenness.perfect_effective_number:,} or more, "
        f"{perfect['effective_percent']} %",
    ]
    if tried is not None:
        lines.append(
            f"{tried['operations']:,} uniform operations, {tried['failures']:,} without a witness; "
            f"{in_percent(tried['share_at_least'])} % or more of the space has one"
        )
    return lines
