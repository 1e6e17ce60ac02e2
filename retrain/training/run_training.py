"""A training from label files to a folder: everything in its order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from retrain.base_models.feed_forward import keeps_its_feed_forward, set_feed_forward
from retrain.base_models.layer_count import keeps_its_layers, set_layers
from retrain.base_models.loading import Base, foreign_kind, load_base
from retrain.datasets.prepare_dataset import Prepared
from retrain.datasets.splitting import least_hashed
from retrain.tracking import Run, commit_at_start, resumable_run
from retrain.trained_model import (
    CALIBRATION_TEXTS,
    MANIFEST,
    CalibrationText,
    Trained,
    TrainedRefused,
    ValidationText,
    read_trained,
    write_trained,
)
from retrain.training.adapters import merged, with_adapters
from retrain.training.batches import UNLABELLED, TrainingTexts, encode
from retrain.training.checkpoints import Checkpoints
from retrain.training.class_biases import fit_biases
from retrain.training.data_provenance import doubt, doubted, learned_from
from retrain.training.distillation import mean_logits, open_teacher
from retrain.training.figures import figures
from retrain.training.hardware import choose_hardware
from retrain.training.inference import logits_of
from retrain.training.loss import LossOfTexts
from retrain.training.progress_display import Curves, Display
from retrain.training.training_loop import Learner, Loop, Plan, TrainingState, Watcher
from retrain.training.training_spec import TrainingSpec, description


class Training:
    """One training. Run again after a kill, it goes on and ends with the same figures.

    `watchers` are told how it goes, beside the display, and may end it by an `EndedEarly`. The run
    in MLflow stands under that of `parent_run_id`. Raises a `Failure` for what a person has to
    change first.
    """

    def __init__(
        self,
        spec: TrainingSpec,
        prepared: Prepared,
        display: Display,
        *,
        watchers: Sequence[Watcher] = (),
        parent_run_id: str | None = None,
    ) -> None:
        if spec.recipe.layers and (kind := foreign_kind(spec.base)):
            raise keeps_its_layers(kind)
        if spec.recipe.feed_forward and (kind := foreign_kind(spec.base)):
            raise keeps_its_feed_forward(kind)
        self._spec = spec
        self._prepared = prepared
        self._display = display
        self._watchers = tuple(watchers)
        self._parent_run_id = parent_run_id
        self._hardware = choose_hardware(spec.recipe.precision, spec.threads)
        self._teachers = [
            open_teacher(folder, prepared.labels, spec.sources.cleaning) for folder in spec.teachers
        ]
        self._doubted = doubted([*spec.teachers, Path(spec.base)], prepared)
        self._described = description(spec, prepared, self._teachers)
        unchanged = {**self._described, "kept_out_sha256": prepared.kept_out_sha256}
        self._checkpoints = Checkpoints.beside(spec.out, unchanged, self._hardware)

    def run(self) -> Trained:
        """Train and write the folder, or return what stands there of this very training."""
        trained = self._already_trained()
        if trained is None:
            with self._checkpoints.held():
                trained = self._train()
        else:
            self._display.say(f"note: {self._spec.out} already holds the result of this training")
            if self._checkpoints.folder.exists():
                # Killed after the folder was in its place, and before MLflow knew.
                with self._tracked() as run:
                    self._conclude(run, trained)
        self._checkpoints.remove()
        return trained

    def _already_trained(self) -> Trained | None:
        out = self._spec.out
        if not out.exists():
            return None
        trained = read_trained(out) if (out / MANIFEST).is_file() else None
        described = trained and {name: getattr(trained, name) for name in self._described}
        kept_out = trained and trained.data and trained.data.kept_out_sha256
        if described != self._described or kept_out != self._prepared.kept_out_sha256:
            raise TrainedRefused(f"{out} holds something else: remove it, or name another --out")
        return trained

    def _train(self) -> Trained:
        spec, prepared, hardware = self._spec, self._prepared, self._hardware
        for note in (*map(doubt, self._doubted), *self._checkpoints.damaged()):
            self._display.say(f"note: {note}")
        with self._tracked() as run:
            base = self._base()
            # Whatever teachers draw, and none do whose answers are kept, changes nothing after it.
            drawn = hardware.random_state()
            taught = self._taught()
            hardware.restore_random_state(drawn)
            rank = spec.recipe.lora_rank
            model = with_adapters(base.model, rank) if rank else base.model
            model.to(hardware.device)
            texts = _texts(prepared, base, taught)
            validation = encode(base.tokenizer, [example.text for example in prepared.validation])
            truth = _numbers(prepared)
            plan = Plan.of(len(texts), spec.recipe)
            loss = LossOfTexts(model, texts, spec.recipe, hardware)
            learner = Learner(model, loss, spec.recipe, plan, hardware)
            self._checkpoints.check_space(4 * sum(w.numel() for w in learner.weights.values()))
            self._display.begin("training", plan.steps)
            state = Loop(
                learner=learner,
                lengths=[len(ids) for ids in texts.tokens],
                recipe=spec.recipe,
                objective=spec.recipe.objective,
                seed=spec.seed,
                plan=plan,
                checkpoints=self._checkpoints,
                checkpoint_every_s=spec.checkpoint_every_s,
                evaluate=lambda: figures(logits_of(model, validation, hardware), truth),
                watchers=(self._display, Curves(run), *self._watchers),
            ).run()
            model = merged(model) if rank else model
            self._display.begin("final evaluation, in fp32", len(validation))
            logits = logits_of(model, validation, hardware.exact, done=self._display.advance)
            trained = self._result(logits, truth, state)
            self._write(trained, model, base)
            self._conclude(run, trained)
        return trained

    def _base(self) -> Base:
        spec = self._spec
        self._hardware.seed(spec.seed)
        base = load_base(
            spec.base,
            self._prepared.labels,
            max_tokens=spec.recipe.max_tokens,
            cache=spec.cache,
        )
        if spec.recipe.layers:
            set_layers(base.model, spec.recipe.layers)
        if spec.recipe.feed_forward:
            set_feed_forward(base.model, spec.recipe.feed_forward)
        return base

    def _taught(self) -> npt.NDArray[np.float32] | None:
        if not self._teachers:
            return None
        prepared = self._prepared
        texts = [example.text for example in prepared.training] + list(prepared.unlabelled)
        self._display.begin("asking the teachers", len(texts) * len(self._teachers))
        return mean_logits(
            self._teachers,
            texts,
            prepared.labels,
            hardware=self._hardware,
            cache=self._spec.cache / "teacher-logits",
            done=self._display.advance,
        )

    @contextmanager
    def _tracked(self) -> Iterator[Run]:
        folder, home, name = self._checkpoints.folder, self._spec.home, self._spec.out.name
        started = resumable_run(
            folder, home, name, kind="training", parent_run_id=self._parent_run_id
        )
        with started.under_way() as run:
            recipe = self._described["recipe"]
            others = {name: value for name, value in self._described.items() if name != "recipe"}
            begun_at = commit_at_start(folder)
            run.parameters({**others, **recipe, "commit": begun_at, "hardware": self._hardware})
            run.document("data.json", self._prepared.data_report.as_json())
            yield run

    def _result(
        self, logits: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], state: TrainingState
    ) -> Trained:
        biases = (0.0,) * len(self._prepared.labels)
        fitted = fit_biases(logits, truth, self._spec.recipe.objective)
        found = figures(logits, truth) | {"fitted_log_loss": fitted.log_loss}
        if self._spec.recipe.class_biases:
            biases = fitted.biases
            with_biases = figures(logits + np.array(biases), truth)
            found |= {f"{name}_with_biases": value for name, value in with_biases.items()}
        return Trained(
            **self._described,
            class_biases=biases,
            data=learned_from(self._prepared, self._spec.teachers, doubted=self._doubted),
            commit=commit_at_start(self._checkpoints.folder),
            figures={**found, "best_step": state.best_step, "steps": state.step},
            wall_s=round(state.wall_s, 1),
        )

    def _write(self, trained: Trained, model: Any, base: Base) -> None:
        prepared = self._prepared
        share = min(1.0, CALIBRATION_TEXTS / len(prepared.training))
        calibration = least_hashed(prepared.training, share)
        write_trained(
            self._spec.out,
            trained,
            save_weights=model.save_pretrained,
            tokenizer=base.tokenizer,
            calibration=[CalibrationText(text=prepared.training[at].text) for at in calibration],
            validation=[
                ValidationText(id=example.id, text=example.text, label=example.label)
                for example in prepared.validation
            ],
        )

    def _conclude(self, run: Run, trained: Trained) -> None:
        run.figures({**trained.figures, "wall_s": trained.wall_s})
        run.file(self._spec.out / MANIFEST)


def _texts(prepared: Prepared, base: Base, taught: npt.NDArray[np.float32] | None) -> TrainingTexts:
    """Return the labelled texts, and the unlabelled ones where teachers have judged them."""
    number = {label: place for place, label in enumerate(prepared.labels)}
    texts = [example.text for example in prepared.training]
    labels = [number[example.label] for example in prepared.training]
    if taught is not None:
        texts += prepared.unlabelled
        labels += [UNLABELLED] * len(prepared.unlabelled)
    return TrainingTexts(encode(base.tokenizer, texts), np.array(labels, dtype=np.int64), taught)


def _numbers(prepared: Prepared) -> npt.NDArray[np.int64]:
    number = {label: place for place, label in enumerate(prepared.labels)}
    return np.array([number[example.label] for example in prepared.validation], dtype=np.int64)
