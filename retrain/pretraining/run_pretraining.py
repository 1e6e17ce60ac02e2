"""A pretraining from label files to a folder that `murmur model train --base` starts from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from model_server.bundle import TOKENIZER
from retrain.base_models.loading import Base, load_base, weights_sha256
from retrain.datasets.prepare_dataset import Prepared
from retrain.pretraining.masked_lm import Guessing, Vocabulary, guesser_of
from retrain.tracking import commit_at_start, resumable_run
from retrain.trained_model import PRETRAINED
from retrain.training.batches import encode
from retrain.training.checkpoints import Checkpoints
from retrain.training.data_provenance import doubt, doubted, learned_from
from retrain.training.hardware import Hardware, choose_hardware
from retrain.training.progress_display import Curves, Display
from retrain.training.recipe import OF_PRETRAINING, Recipe
from retrain.training.training_loop import Learner, Loop, Plan
from schemas.atomic_folder import put_in_place
from schemas.failures import Failure


@dataclass(frozen=True, kw_only=True)
class PretrainingSpec:
    """What is to be pretrained, from what, and where it is to lie."""

    base: str
    recipe: Recipe
    seed: int
    out: Path
    home: Path
    threads: int | None
    checkpoint_every_s: float


def pretrain(spec: PretrainingSpec, prepared: Prepared, display: Display) -> dict[str, Any]:
    """Train on the texts of training and unlabelled, and return the folder's manifest.

    The validation texts tell how well words are guessed, and nothing is learned of them. Killed
    and run again, it goes on. What stands there of this very pretraining is returned as it is;
    raises a `Failure` where something else does.
    """
    described = {
        "base": spec.base,
        "base_sha256": weights_sha256(spec.base),
        "recipe": {name: getattr(spec.recipe, name) for name in OF_PRETRAINING},
        "seed": spec.seed,
        "data_sha256": prepared.sha256,
    }
    hardware = choose_hardware(spec.recipe.precision, spec.threads)
    unchanged = {**described, "kept_out_sha256": prepared.kept_out_sha256}
    checkpoints = Checkpoints.beside(spec.out, unchanged, hardware)
    was_there = spec.out.exists()
    if not was_there:
        with checkpoints.held():
            unsure = doubted([Path(spec.base)], prepared)
            for note in (*map(doubt, unsure), *checkpoints.damaged()):
                display.say(f"note: {note}")
            _Pretraining(spec, prepared, display, checkpoints, hardware, unsure).run(described)
    manifest = _manifest(spec.out)
    if any(manifest.get(name) != value for name, value in described.items()):
        raise Failure(f"{spec.out} holds something else: remove it, or name another --out")
    if was_there:
        display.say(f"note: {spec.out} already holds the result of this pretraining")
    checkpoints.remove()
    return manifest


def _manifest(folder: Path) -> dict[str, Any]:
    file = folder / PRETRAINED
    return msgspec.json.decode(file.read_bytes(), type=dict[str, Any]) if file.is_file() else {}


@dataclass(frozen=True)
class _Pretraining:
    spec: PretrainingSpec
    prepared: Prepared
    display: Display
    checkpoints: Checkpoints
    hardware: Hardware
    doubted: tuple[Path, ...]

    def run(self, described: dict[str, Any]) -> None:
        spec, prepared, hardware = self.spec, self.prepared, self.hardware
        recipe = spec.recipe
        hardware.seed(spec.seed)
        base = load_base(
            spec.base, prepared.labels, max_tokens=recipe.max_tokens, cache=spec.home / "cache"
        )
        guesser = guesser_of(base.model).to(hardware.device)
        texts = [example.text for example in prepared.training] + [*prepared.unlabelled]
        vocabulary = Vocabulary.of(base.tokenizer)
        learned = Guessing(guesser, encode(base.tokenizer, texts), vocabulary, hardware)
        validation = encode(base.tokenizer, [example.text for example in prepared.validation])
        plan = Plan.of(len(texts), recipe)
        folder = self.checkpoints.folder
        begun_at = commit_at_start(folder)
        tracked = resumable_run(folder, spec.home, spec.out.name, kind="pretraining")
        with tracked.under_way() as run:
            run.parameters({**described, **described["recipe"], "commit": begun_at})
            run.parameters({"hardware": hardware})
            run.document("data.json", prepared.data_report.as_json())
            learner = Learner(guesser, learned.loss, recipe, plan, hardware)
            self.checkpoints.check_space(4 * sum(w.numel() for w in learner.weights.values()))
            self.display.begin("pretraining", plan.steps)
            state = Loop(
                learner=learner,
                lengths=[len(ids) for ids in learned.tokens],
                recipe=recipe,
                objective="masked_accuracy",
                seed=spec.seed,
                plan=plan,
                checkpoints=self.checkpoints,
                checkpoint_every_s=spec.checkpoint_every_s,
                evaluate=Guessing(guesser, validation, vocabulary, hardware).figures,
                watchers=(self.display, Curves(run)),
            ).run()
            found = {"masked_accuracy": state.best_score, "best_step": state.best_step}
            figures = {**found, "steps": state.step, "wall_s": round(state.wall_s, 1)}
            data = learned_from(prepared, doubted=self.doubted)
            manifest = {**described, "data": data, "commit": begun_at, "figures": figures}
            run.figures(figures)
            run.document(PRETRAINED, manifest)
        self._write(base, manifest)

    def _write(self, base: Base, manifest: dict[str, Any]) -> None:
        """Write the layers without a head: each training draws its own."""
        unfinished = self.checkpoints.folder / "finished"
        base.model.distilbert.save_pretrained(unfinished)
        base.tokenizer.save(str(unfinished / TOKENIZER))
        encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        (unfinished / PRETRAINED).write_bytes(encoded + b"\n")
        put_in_place(unfinished, self.spec.out)
