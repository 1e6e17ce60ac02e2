"""Trainings one after the other, each with other figures, within a time; killed, it goes on.

Everything is in one folder: what was tried (`study.db`), and the training at work with its
checkpoints. A trial that was killed, or for which the time was over, is gone on with by the next
call. Nothing is chosen by the test set: its texts are only kept out.
"""

import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from retrain.datasets.prepare_dataset import Prepared
from retrain.tracking import EndedEarly, Run, resumable_run
from retrain.training.progress_display import Display
from retrain.training.recipe import Recipe
from retrain.training.run_training import Training
from retrain.training.training_loop import Diverged
from retrain.training.training_spec import TrainingSpec, description
from retrain.tuning.search_space import as_options, first_tried, suggested
from schemas.failures import Failure
from schemas.private_files import make_private_folder

_UNPRUNED_TRIALS: Final = 4
"""So many trials are trained to their end before any is ended for being worse than most."""

_OF_WHAT: Final = "of"


class Tuned(Struct, frozen=True, kw_only=True):
    """The best figures that were found, and how.

    `score` is the objective on the validation split, `of_the_defaults` that of the recipe as it
    was; None where that was pruned. `options` are those of `murmur model train`.
    """

    score: float
    of_the_defaults: float | None
    options: list[str]
    finished: int
    pruned: int
    unfinished: int
    wall_s: float


class _Pruned(EndedEarly):
    """Most trials were better by now."""


class _OutOfTime(EndedEarly):
    """The minutes are over."""


@dataclass
class _Judge:
    """Watches a training: tells the study how it goes, and ends it where it should end."""

    trial: Any
    objective: str
    deadline_s: float
    clock: Callable[[], float]
    best: float = float("-inf")

    def stepped(self, step: int, loss: float, learning_rate: float) -> None:
        """End the training where the time is over."""
        del step, loss, learning_rate
        if self.clock() > self.deadline_s:
            raise _OutOfTime

    def evaluated(self, step: int, figures: dict[str, float]) -> None:
        """End the training where most others were better at this step."""
        self.best = max(self.best, figures[self.objective])
        self.trial.report(self.best, step)
        if self.trial.should_prune():
            raise _Pruned


def tune(
    spec: TrainingSpec,
    prepared: Prepared,
    display: Display,
    *,
    fixed: Collection[str],
    minutes: float,
    most_trials: int,
    clock: Callable[[], float] = time.monotonic,
) -> Tuned:
    """Try figures in place of the recipe's that are not `fixed`; return the best ones.

    `spec.out` is the folder of the tuning. It ends after so many minutes or trials, of earlier
    calls too, whichever comes first. Raises `Failure` where the folder is of other data, another
    base, seed or recipe, and where no trial was finished.
    """
    make_private_folder(spec.out)
    with _held(spec.out):
        study = _study(spec, prepared, fixed)
        return _tune(study, spec, prepared, display, fixed, minutes, most_trials, clock)


def _tune(
    study: Any,
    spec: TrainingSpec,
    prepared: Prepared,
    display: Display,
    fixed: Collection[str],
    minutes: float,
    most_trials: int,
    clock: Callable[[], float],
) -> Tuned:
    began_s = clock()
    deadline_s = began_s + 60 * minutes
    parent = resumable_run(spec.out, spec.home, spec.out.name, kind="tuning")
    with parent.under_way():
        while clock() < deadline_s and len(_ended(study)) < most_trials:
            try:
                _try_once(study, spec, prepared, display, fixed, parent, deadline_s, clock)
            except _OutOfTime:
                break
        ended = _ended(study)
        finished = [trial for trial in ended if trial.state.name == "COMPLETE"]
        if not finished:
            raise Failure(
                f"no training was finished within {minutes:g} minutes: the same command goes on, "
                "or give it more --minutes, or --quick"
            )
        best = max(finished, key=lambda trial: trial.value)
        parent.figures({"best": best.value, "trials": len(ended)})
    recipe = suggested(_Remembered(best.params), spec.recipe, fixed)
    return Tuned(
        score=best.value,
        of_the_defaults=next((each.value for each in finished if each.number == 0), None),
        options=as_options(recipe, fixed),
        finished=len(finished),
        pruned=len(ended) - len(finished),
        unfinished=sum(trial.state.name == "RUNNING" for trial in study.trials),
        wall_s=round(clock() - began_s, 1),
    )


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Failure(f"another process tunes in {folder}") from error
        yield


def _study(spec: TrainingSpec, prepared: Prepared, fixed: Collection[str]) -> Any:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        storage=f"sqlite:///{spec.out / 'study.db'}",
        study_name="tuning",
        direction="maximize",
        load_if_exists=True,
        sampler=optuna.samplers.TPESampler(seed=spec.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED_TRIALS),
    )
    of = hashlib.sha256(
        msgspec.json.encode([description(spec, prepared, []), sorted(fixed)], order="sorted")
    ).hexdigest()
    if study.user_attrs.setdefault(_OF_WHAT, of) != of:
        raise Failure(
            f"{spec.out} holds a tuning of other data, another base, seed or recipe: name another "
            "--out"
        )
    study.set_user_attr(_OF_WHAT, of)
    if not study.trials:
        study.enqueue_trial(first_tried(spec.recipe, fixed))
    for trial in study.trials:
        if trial.state.name == "RUNNING":
            # Whoever worked on it is gone. Its checkpoints lie under its figures' name.
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
            study.enqueue_trial(trial.params)
    return study


def _try_once(
    study: Any,
    spec: TrainingSpec,
    prepared: Prepared,
    display: Display,
    fixed: Collection[str],
    parent: Run,
    deadline_s: float,
    clock: Callable[[], float],
) -> None:
    import optuna

    trial = study.ask()
    recipe = suggested(trial, spec.recipe, fixed)
    out = spec.out / f"trial-{_name_of(recipe)}"
    display.say(f"trial {trial.number}: {' '.join(as_options(recipe, fixed))}")
    judge = _Judge(trial, recipe.objective, deadline_s, clock)
    training = Training(
        replace(spec, recipe=recipe, out=out),
        prepared,
        display,
        watchers=(judge,),
        parent_run_id=parent.run_id,
    )
    try:
        trained = training.run()
    except _Pruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except Diverged as failure:
        # Figures at which nothing can be learned are a finding too.
        display.say(f"note: {failure}")
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, trained.figures[recipe.objective])
    for folder in (out, out.with_name(f"{out.name}.checkpoints")):
        shutil.rmtree(folder, ignore_errors=True)


class _Remembered:
    """Gives the figures of an earlier trial again."""

    def __init__(self, params: dict[str, Any]) -> None:
        self._params = params

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return what was drawn."""
        del low, high, log
        return float(self._params[name])

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return what was drawn."""
        del low, high
        return int(self._params[name])


def _ended(study: Any) -> list[Any]:
    return [trial for trial in study.trials if trial.state.name in ("COMPLETE", "PRUNED")]


def _name_of(recipe: Recipe) -> str:
    return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]
