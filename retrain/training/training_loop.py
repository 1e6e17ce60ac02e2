"""The loop: steps, evaluations and checkpoints. Its state is all that a step depends on."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from retrain.training.batches import Places, epoch_batches
from retrain.training.checkpoints import Checkpoints
from retrain.training.hardware import Hardware
from retrain.training.recipe import Recipe
from retrain.training.weight_averaging import AveragedWeights, Weights, copied, put
from schemas.failures import Failure


class Diverged(Failure):
    """The loss is no number any more."""


class Watcher(Protocol):
    """Is told how a training goes. Steps count from 1; after a resumption some come again."""

    def stepped(self, step: int, loss: float, learning_rate: float) -> None:
        """A step is done."""
        ...

    def evaluated(self, step: int, figures: dict[str, float]) -> None:
        """The validation split was scored."""
        ...


@dataclass
class TrainingState:
    """How far a training is, and the best state that an evaluation has found."""

    step: int = 0
    best_step: int = 0
    best_score: float = -math.inf
    best_weights: Weights = field(default_factory=dict)
    evaluations_since_best: int = 0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Plan:
    """How many steps an epoch and the whole have, and after how many is evaluated."""

    steps_per_epoch: int
    steps: int
    evaluate_every: int

    @classmethod
    def of(cls, texts: int, recipe: Recipe) -> "Plan":
        """Plan the steps for so many texts."""
        steps_per_epoch = math.ceil(texts / recipe.batch_texts)
        return cls(
            steps_per_epoch=steps_per_epoch,
            steps=steps_per_epoch * recipe.epochs,
            evaluate_every=math.ceil(steps_per_epoch / recipe.evaluations_per_epoch),
        )


class Learner:
    """A model with its optimiser, schedule and averaged weights, one step at a time.

    `loss_of` is what a step lessens: the loss of the texts at some places.
    """

    def __init__(
        self,
        model: Any,
        loss_of: Callable[[Places], Tensor],
        recipe: Recipe,
        plan: Plan,
        hardware: Hardware,
    ) -> None:
        self.weights: dict[str, Tensor] = {
            name: weight for name, weight in model.named_parameters() if weight.requires_grad
        }
        self.averaged = AveragedWeights(self.weights, recipe.averaging_decay)
        self._model = model
        self._loss_of = loss_of
        self._recipe = recipe
        self._hardware = hardware
        decayed = [weight for weight in self.weights.values() if weight.ndim > 1]
        others = [weight for weight in self.weights.values() if weight.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": decayed}, {"params": others, "weight_decay": 0}]
        self._optimiser = torch.optim.AdamW(
            groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        warm_up = max(1, round(recipe.warm_up_share * plan.steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser,
            lambda step: min(
                (step + 1) / warm_up, (plan.steps - step) / (plan.steps - warm_up + 1)
            ),
        )

    @property
    def learning_rate(self) -> float:
        """The rate of the next step."""
        return float(self._schedule.get_last_lr()[0])

    def step(self, places: Places) -> float:
        """Learn from the texts at these places; return the loss before that."""
        self._model.train()
        loss = self._loss_of(places)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.weights.values(), self._recipe.gradient_norm)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self._schedule.step()
        self.averaged.update(self.weights)
        return float(loss.item())

    def state(self) -> dict[str, Any]:
        """Return all that the next step depends on."""
        return {
            "weights": self.weights,
            "averaged": self.averaged.weights,
            "averaged_steps": self.averaged.steps,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "random": self._hardware.random_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Become what `state` was taken of."""
        put(state["weights"], self.weights)
        put(state["averaged"], self.averaged.weights)
        self.averaged.steps = state["averaged_steps"]
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._hardware.restore_random_state(state["random"])


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Steps until the plan or the patience ends; interrupted anywhere, it ends the same.

    `lengths` are the texts' in word pieces. `evaluate` scores the model as it stands; the figure
    `objective` decides which state is kept, the higher the better. Checkpoints are written every
    `checkpoint_every_s` of the `clock`, in seconds.
    """

    learner: Learner
    lengths: Sequence[int]
    recipe: Recipe
    objective: str
    seed: int
    plan: Plan
    checkpoints: Checkpoints
    checkpoint_every_s: float
    evaluate: Callable[[], dict[str, float]]
    watchers: Sequence[Watcher]
    clock: Callable[[], float] = time.monotonic

    def run(self) -> TrainingState:
        """Return the state at the end, with the best weights put into the model.

        Raises `Diverged` where the loss is no number any more.
        """
        state = self._resumed()
        batches: list[Places] = []
        epoch_of_batches = -1
        last_checkpoint = self.clock()
        started = last_checkpoint - state.wall_s
        while state.step < self.plan.steps and not self._out_of_patience(state):
            epoch, place = divmod(state.step, self.plan.steps_per_epoch)
            if epoch != epoch_of_batches:
                epoch_of_batches = epoch
                batches = epoch_batches(
                    self.lengths, batch_texts=self.recipe.batch_texts, seed=self.seed, epoch=epoch
                )
            learning_rate = self.learner.learning_rate
            loss = self.learner.step(batches[place])
            state.step += 1
            if not math.isfinite(loss):
                raise Diverged(f"the loss of step {state.step} is {loss}: lower --learning-rate")
            for watcher in self.watchers:
                watcher.stepped(state.step, loss, learning_rate)
            if self._is_evaluated(state.step):
                self._evaluate(state)
            state.wall_s = self.clock() - started
            if self.clock() - last_checkpoint >= self.checkpoint_every_s:
                self._write(state)
                last_checkpoint = self.clock()
        put(state.best_weights, self.learner.weights)
        return state

    def _is_evaluated(self, step: int) -> bool:
        return step == self.plan.steps or step % self.plan.evaluate_every == 0

    def _out_of_patience(self, state: TrainingState) -> bool:
        return 0 < self.recipe.patience <= state.evaluations_since_best

    def _evaluate(self, state: TrainingState) -> None:
        with self.learner.averaged.in_place_of(self.learner.weights):
            found = self.evaluate()
        for watcher in self.watchers:
            watcher.evaluated(state.step, found)
        score = found[self.objective]
        if score > state.best_score:
            state.best_score = score
            state.best_step = state.step
            state.best_weights = copied(self.learner.averaged.weights)
            state.evaluations_since_best = 0
        else:
            state.evaluations_since_best += 1

    def _write(self, state: TrainingState) -> None:
        # "standing" is what checkpoints have called it from the first one on.
        content = {"learner": self.learner.state(), "standing": dict(vars(state))}
        self.checkpoints.write(state.step, content)

    def _resumed(self) -> TrainingState:
        content = self.checkpoints.latest()
        if content is None:
            return TrainingState()
        self.learner.restore(content["learner"])
        return TrainingState(**content["standing"])
