"""
``ternary train``: train a model, or go on with a training that was interrupted.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ternary_cli.hooks import name_hooks
from ternary_cli.options import Device, DeviceOption, JsonOption, option, whole
from ternary_cli.prices import STRETCHES, CurrencyOption, PriceOption, core_seconds, cost, priced
from ternary_cli.vendor_extra import vendor_extra

if TYPE_CHECKING:
    import torch

    from ternary_trainer.compute import Compute, Price
    from ternary_trainer.history import EpochRecord
    from ternary_trainer.report import PathReport
    from ternary_trainer.run import Choice, Run
    from ternary_trainer.settings import Recipe
    from ternary_trainer.vast_report import VastPathReport

RecipeName = Annotated[
    str | None, option("--recipe", metavar="NAME|FILE.toml", text="How to train; default: coverage.")
]
Seed = Annotated[int | None, whole("--seed", metavar="N", text="Same seed, same model; default: 1.")]
RunFolder = Annotated[
    Path | None, option("--out", "-o", metavar="RUN", text="Where the run goes; default: runs/RECIPE-SEED.")
]
Resume = Annotated[
    Path | None, option("--resume", metavar="RUN", text="Go on with this run, as it was begun.")
]
Tensorboard = Annotated[
    bool,
    option("--tensorboard", text="Also write figures for TensorBoard, to RUN/tensorboard."),
]
Settings = Annotated[
    list[str] | None, option("--set", metavar="KEY=VALUE", text="Change a setting of the recipe; repeatable.")
]


def train(
    recipe: RecipeName = None,
    seed: Seed = None,
    out: RunFolder = None,
    resume: Resume = None,
    settings: Settings = None,
    tensorboard: Tensorboard = False,
    device: DeviceOption = None,
    per_core_hour: PriceOption = None,
    currency: CurrencyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Vendor: train a model."""
    from ternary_cli.terminal import note, show, show_json

    with vendor_extra("ternary train"):
        from ternary_trainer import recipe as recipes
        from ternary_trainer import run as runs
        from ternary_trainer.device import choose
        from ternary_trainer.extending import extend
    price = priced(per_core_hour, currency)
    place = choose(device or Device.AUTO, tell=note)
    if resume is not None:
        _refuse_beside_resume(recipe, seed, out)
        earlier = extend(resume, overrides(settings)) if settings else runs.open(resume)
        run = watched(
            earlier.recipe,
            seed=earlier.seed,
            out=resume,
            resume=True,
            tensorboard=tensorboard,
            place=place,
        )
    else:
        chosen = recipes.load(recipe or "coverage", overrides(settings or []))
        number = 1 if seed is None else seed
        folder = out or Path("runs") / f"{chosen.name}-{number}"
        run = watched(chosen, seed=number, out=folder, tensorboard=tensorboard, place=place)
    show_json(facts(run, price)) if as_json else show(lines(run, price))
    if run.summary().status == "interrupted":
        note(f"interrupted; go on with: ternary train --resume {run.path}")
        raise typer.Exit(130)


def overrides(settings: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` pairs as a mapping.

    Raises:
        InputError: If one has no equals sign or a key is given twice.
    """
    from ternary_sdk.errors import InputError

    changed: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise InputError(f"--set: {setting!r}, expected KEY=VALUE such as epochs=12")
        if key in changed:
            raise InputError(f"--set: {key} is given twice")
        changed[key] = value
    return changed


def _refuse_beside_resume(*given: object) -> None:
    from ternary_sdk.errors import InputError

    if any(value is not None for value in given):
        raise InputError(
            "--resume goes on with a run as it was begun; "
            "only --device, --tensorboard, --json, a price and --set of what may grow fit beside it"
        )


def facts(run: "Run", price: "Price | None" = None) -> dict[str, Any]:
    """How a run ended, as one object."""
    summary = run.summary()
    money = price.money(summary.compute) if price else None
    return {
        "run": str(run.path),
        "recipe": run.recipe.name,
        "seed": run.seed,
        **asdict(summary),
        "money": money,
    }


def lines(run: "Run", price: "Price | None" = None) -> list[str]:
    """How a run ended, for people: what each rule of choice would ship, side by side."""
    from ternary_sdk.coverage import percent

    summary, listed = run.summary(), run.recipe.space.listed
    length = f"{summary.epochs} of {summary.planned} epochs in {summary.seconds:.0f} s"
    told = [f"{run.path}: {length}, {summary.status}"]
    if summary.epochs_saved:
        told.append(f"a plateau saved {summary.epochs_saved} epochs, about {summary.seconds_saved:.0f} s")
    if summary.epochs:
        told.append(_took(summary.compute, price))
    for surge in summary.surges:
        moments = {"before": surge.before, "during": surge.during, "after": surge.after}
        effect = ", ".join(f"{percent(share)} % {when}" for when, share in moments.items())
        what = "coverage" if listed else "evenness"
        told.append(f"surge of strength {surge.strength:g} in epoch {surge.epoch}: {what} {effect}")
    if summary.choices:
        told += ["", *_choices(run, summary.choices)]
    return told


def _took(compute: "Compute", price: "Price | None") -> str:
    """Core-seconds of each stretch, or wall time where an older release trained the run."""
    parts = []
    for name, words in STRETCHES.items():
        stretch = compute.stretches[name]
        money = f" ({cost(stretch, price)})" if price else ""
        figure = f"{core_seconds(stretch)}{money}" if compute.measured else f"{stretch.seconds:,.1f}"
        parts.append(f"{figure} {words}")
    unit = "core-seconds" if compute.measured else "wall seconds, core-seconds were not recorded"
    return f"{unit}: {', '.join(parts)}"


def _choices(run: "Run", choices: "Mapping[str, Choice]") -> list[str]:
    """A table: a row for each rule of choice, with what each path is worth."""
    from ternary_sdk.coverage import headline_draws, percent
    from ternary_trainer.orders import uniform_entropy_shown

    space = run.recipe.space
    quantity = f"at {headline_draws(space):,}" if space.listed else "collisions, of expected"
    titles = [f"{path} {quantity}" for path in run.recipe.signature.paths]
    floor = f"negative ELBO, floor {uniform_entropy_shown(space)}"
    told = ["   ".join(["chosen by  epoch", *titles, "held-out exact", floor])]
    for rule, choice in choices.items():
        exact = min(path.holdout_exact for path in choice.paths.values())
        worth = [_worth(path) for path in choice.paths.values()]
        columns = "   ".join(f"{cell:>{len(title)}}" for cell, title in zip(worth, titles, strict=True))
        held_out, elbo = f"{percent(exact)} %", run.history[choice.epoch].elbo
        told.append(f"{rule:<9}  {choice.epoch:>5}   {columns}   {held_out:>14}   {elbo:>{len(floor)}.3f}")
    return told


def _worth(path: "PathReport | VastPathReport") -> str:
    """How even the prior draws of a path are: their coverage, or in a vast space how many collide."""
    from ternary_sdk.coverage import percent
    from ternary_trainer.report import PathReport

    if isinstance(path, PathReport):
        return f"{percent(path.coverage)} %"
    return f"{path.colliding_pairs:,} of {shown_expected(path.expected_pairs)}"


def shown_expected(pairs: float) -> str:
    """How many pairs are expected: whole, with one decimal below 10, with a power of ten below 0.1."""
    if pairs >= 10:
        return f"{pairs:,.0f}"
    return f"{pairs:.1f}" if pairs >= 0.1 else f"{pairs:.0e}"


def watched(
    recipe: "Recipe",
    *,
    seed: int,
    out: Path,
    resume: bool = False,
    tensorboard: bool = False,
    place: "torch.device",
) -> "Run":
    """Train with progress on standard error, and in TensorBoard's files where asked for."""
    from ternary_trainer.progress import watching
    from ternary_trainer.tensorboard import writing
    from ternary_trainer.train import train

    name_hooks([recipe])
    with ExitStack() as watchers:
        told = [watchers.enter_context(writing(out))] if tensorboard else []
        told.append(watchers.enter_context(watching(recipe.signature)))

        def on_epoch(record: "EpochRecord") -> None:
            for tell in told:
                tell(record)

        return train(recipe, seed=seed, out=out, resume=resume, on_epoch=on_epoch, place=place)
