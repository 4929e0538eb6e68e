"""
The training loop.

Each epoch: train, score every path on the validation stream, keep the snapshot of every rule that now finds
this epoch best, write the history, then the state to resume from. Every file is replaced by a rename and the
state comes last, so a run that is killed at any moment resumes from the last state to the same weights.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ternary_sdk._internal import whole_file
from ternary_sdk.coverage import headline_draws, iid_limit
from ternary_sdk.errors import FormatError, InputError
from ternary_sdk.space import Space
from ternary_trainer import (
    checkpoint,
    choose,
    device,
    extending,
    history,
    loss_hook,
    run,
    score,
    seeds,
    split,
    vast_split,
)
from ternary_trainer import recipe as recipes
from ternary_trainer.coupled import CoupledTraining
from ternary_trainer.disrupt import Surges, running
from ternary_trainer.history import EpochRecord, PathRecord
from ternary_trainer.interrupt import Interrupt, finishing
from ternary_trainer.loss_hook import Term
from ternary_trainer.method import Method, PathFigures
from ternary_trainer.model import TernaryVAE, initial
from ternary_trainer.prepare import prepare
from ternary_trainer.report import report
from ternary_trainer.run import Choice, Run
from ternary_trainer.separate import SeparateTraining
from ternary_trainer.settings import Recipe, Scoring
from ternary_trainer.split import Operations

OnEpoch = Callable[[EpochRecord], None]


def train(
    recipe: Recipe,
    *,
    seed: int,
    out: Path,
    on_epoch: OnEpoch | None = None,
    resume: bool = False,
    place: torch.device | None = None,
) -> Run:
    """Train all paths of a model, or go on with a training that was interrupted.

    Args:
        recipe: As `recipe.load` gives it.
        seed: In [0, 2^63); with the recipe, the machine and its thread count it decides the weights.
        out: The run directory; it must not exist or be empty, unless resuming.
        on_epoch: Called with each epoch's record once it is safely written.
        resume: Go on in `out`, with the same recipe and seed. On another kind of device than before, the
            number streams begin anew, as the run's facts then say.
        place: Where to compute; by default what `device.choose` gives.
    Returns:
        The run, also when Ctrl-C ended it early; `summary().status` tells.
    Raises:
        InputError: If `out` holds a run, or another recipe or seed is resumed, or a file cannot be written.
        FormatError: If the state to resume from is damaged.
    """
    place = place or device.choose()
    prepare(recipe, seed, out, place, resume=resume)
    with running(out), _one_thread_an_operation(), finishing() as interrupt:
        training = Training(recipe, seed, out, place)
        if resume:
            training.restore()
        status = training.go_on(on_epoch, interrupt)
        run.write_ending(out, status, {} if status == "interrupted" else _choices(run.open(out)))
    return run.open(out)


class Training:
    """A model in training, with all that decides how it goes on."""

    def __init__(self, recipe: Recipe, seed: int, out: Path, place: torch.device) -> None:
        self._recipe, self._seed, self._out, self._place = recipe, seed, out, place
        self._model = initial(seeds.derive(seed, "initial weights"), recipe.architecture).to(place)
        self._method = _method(self._model, recipe, seed, loss_hook.term(recipe.hook, out))
        self._surges = Surges(recipe.surge, out)
        self._history: list[EpochRecord] = []
        self._operations = _validation(recipe, place)
        stream = self._stream("validation")
        self._prior = score.latents(recipe.scoring.draws, recipe.latent_size, stream)
        self._noise = score.latents(len(self._operations), recipe.latent_size, stream)

    def _stream(self, purpose: str) -> torch.Generator:
        return seeds.generator(self._seed, purpose, self._place)

    def go_on(self, on_epoch: OnEpoch | None, interrupt: Interrupt) -> str:
        """Train until the recipe's end, its plateau, or an interrupt; which of them it was."""
        while len(self._history) < self._recipe.epochs:
            if self._history and choose.is_done(self._history, self._recipe):
                return "plateau"
            if interrupt.requested:
                return "interrupted"
            record = self._epoch(len(self._history))
            if not history.is_finite(record):
                raise InputError(
                    f"{self._out}: epoch {record.epoch} gave figures that are not finite and was not kept."
                    " Train again with a lower rate"
                )
            self._keep(record)
            if on_epoch:
                on_epoch(record)
        return "complete"

    def _epoch(self, epoch: int) -> EpochRecord:
        started, worked = time.perf_counter(), time.process_time()
        surge, origin = self._surges.at(epoch)
        figures = self._method.run_epoch(epoch, surge, self._history[-1] if self._history else None)
        with ThreadPoolExecutor(len(figures.paths)) as threads:
            scored = dict(zip(figures.paths, threads.map(self._score, figures.paths), strict=True))
        return EpochRecord(
            epoch=epoch,
            epochs=self._recipe.epochs,
            phase=figures.phase,
            seconds=time.perf_counter() - started,
            core_seconds=time.process_time() - worked,
            limit=_limit(self._recipe.space),
            loss=self._method.validation_loss(self._operations, self._stream("validation loss")),
            surge=surge.strength if surge else 0.0,
            surge_origin=origin,
            paths={path: _path_record(figures.paths[path], *scored[path]) for path in figures.paths},
            coupling=dict(figures.coupling) if figures.coupling else None,
        )

    def _score(self, path: str) -> tuple[score.Coverage, score.Reconstruction]:
        encoder, decoder = self._model.encoder(path), self._model.decoder(path)
        return (
            score.coverage(decoder, self._prior, self._recipe.space),
            score.reconstruct(encoder, decoder, self._operations, self._noise),
        )

    def _keep(self, record: EpochRecord) -> None:
        self._history.append(record)
        for rule in choose.RULES:
            if choose.best_epoch(self._history, self._recipe, rule) == record.epoch:
                file = run.snapshot_file(self._out, rule)
                checkpoint.save(file, state=self._model.state_dict(), epoch=record.epoch)
        history.write(self._out, self._history)
        checkpoint.write(
            self._out / run.STATE,
            {
                "of": self._identity(),
                "epochs": len(self._history),
                "device": self._place.type,
                "model": self._model.state_dict(),
                "method": self._method.state(),
                "surges": self._surges.state(),
            },
        )

    def restore(self) -> None:
        """Go back to the last state that was written.

        Raises:
            FormatError: If it is damaged.
        """
        file = self._out / run.STATE
        snapshots = (run.snapshot_file(self._out, rule) for rule in choose.RULES)
        for killed in (file, self._out / history.NAME, *snapshots):
            whole_file.sweep(killed)
        if not file.exists():
            return  # Killed before the first epoch was over: that epoch is trained again from the seed.
        state = _read_state(file)
        earlier = extending.earlier_identities(run.open(self._out))
        if state["of"] not in (self._identity(), self._identity_as_written(), *earlier):
            raise FormatError(f"{file}: is of another training, expected the state of this one")
        records = history.read(self._out)[: state["epochs"]]
        if [record.epoch for record in records] != list(range(state["epochs"])):
            raise FormatError(
                f"{self._out / history.NAME}: expected epochs 0 to {state['epochs'] - 1} in order, which"
                f" {run.STATE} has trained"
            )
        moved = "" if state["device"] == self._place.type else f"{self._place.type} from epoch {len(records)}"
        try:
            self._model.load_state_dict(checkpoint.check_state(state["model"], str(file)))
            self._method.restore(state["method"], moved=moved)
            self._surges.restore(state["surges"])
        except (KeyError, TypeError, ValueError, RuntimeError):
            raise FormatError(f"{file}: is damaged, expected the state of a training") from None
        self._history = records
        if moved:
            run.record_device(self._out, f"{device.name(self._place)} from epoch {len(records)}")

    def _identity(self) -> str:
        # What decides the weights: another training's state would be gone on with without a word.
        return extending.identity(self._seed, recipes.dump(self._recipe))

    def _identity_as_written(self) -> str:
        # A run begun when recipes were written otherwise names the text in its directory.
        return extending.identity(self._seed, (self._out / run.RECIPE).read_text("utf-8"))


def _read_state(file: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = checkpoint.read(file)
        state.setdefault("device", device.CPU.type)  # what wrote none computed on the processor
        return {key: state[key] for key in ("of", "epochs", "device", "model", "method", "surges")}
    except KeyError as error:
        raise FormatError(f"{file}: lacks {error}, expected the state of a training") from None


def _method(model: TernaryVAE, recipe: Recipe, seed: int, term: Term | None) -> Method:
    if recipe.separate:
        return SeparateTraining(model, recipe, recipe.separate, seed, term)
    if recipe.coupled:
        return CoupledTraining(model, recipe, recipe.coupled, seed, term)
    raise InputError(f"recipe '{recipe.name}': no method, expected a table 'separate' or 'coupled'")


def _path_record(figures: PathFigures, covered: score.Coverage, rebuilt: score.Reconstruction) -> PathRecord:
    return PathRecord(
        reconstruction=figures.reconstruction,
        kl=figures.kl,
        rate=figures.dials.rate,
        beta=figures.dials.beta,
        noise=figures.dials.noise,
        weight=figures.dials.exploration,
        coverage=covered.share,
        entropy=covered.divergence.entropy,
        kl_single=covered.divergence.single,
        kl_pairs=covered.divergence.pairs,
        kl_higher=covered.divergence.higher,
        exact=rebuilt.exact,
        elbo=rebuilt.elbo,
        active=rebuilt.active,
        lost_cells=rebuilt.lost_cells,
    )


def _validation(recipe: Recipe, place: torch.device) -> Operations:
    if recipe.space.listed:
        return split.validation(recipe.space, place, recipe.holdout_family, recipe.training_operations)
    count = recipe.scoring.operations or 0
    return vast_split.validation(recipe.space, count, recipe.holdout_family, place)


def _limit(space: Space) -> float | None:
    return iid_limit(headline_draws(space), space) if space.listed else None


@contextmanager
def _one_thread_an_operation() -> Iterator[None]:
    # The networks are too small to share one operation between cores, and results would depend on how many
    # there are; the paths run side by side instead.
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _measured(recipe: Recipe, rule: str) -> Scoring:
    """How much is decoded for a snapshot; in a vast space, which takes long, all for the default rule."""
    scoring = recipe.scoring
    if recipe.space.listed or rule == "coverage":
        return scoring
    return replace(scoring, report_draws=scoring.draws, report_operations=scoring.operations)


def _choices(ended: Run) -> dict[str, Choice]:
    kept = {rule: ended.best(rule) for rule in choose.RULES}
    reports = {}
    for rule, best in kept.items():
        if best.epoch not in reports:
            reports[best.epoch] = report(best.state, ended.seed, _measured(ended.recipe, rule))
    return {
        rule: Choice(rule=rule, epoch=best.epoch, reason=best.reason, paths=reports[best.epoch])
        for rule, best in kept.items()
    }
