"""From a trained model to a sealed bundle: export, quantise, calibrate, measure, judge, seal."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from model_server.bundle import (
    CARD,
    MODEL,
    REFERENCE,
    TOKENIZER,
    Bundle,
    open_bundle,
    sha256_of,
)
from model_server.cleaning import CLEANING
from model_server.onnx_engine import OnnxEngine, Probabilities
from model_server.seal_bundle import seal_bundle, unsealed_engine
from retrain.datasets.reading import LabelledFile
from retrain.datasets.tweeteval import name_of, name_with_folder
from retrain.drift.first_reference import encode_validation
from retrain.evaluation.evaluate import figures_alone
from retrain.evaluation.predictions import Answers, probabilities_of, truth_of
from retrain.export.batches import Feeds, batches_of
from retrain.export.calibrating import Calibration, calibrate
from retrain.export.inference_cost import compare_cost
from retrain.export.measure_exported import (
    labels_by_batch,
    macro_recall,
    recall_of_a_text,
    same_labels,
)
from retrain.export.model_card import Measured, model_card
from retrain.export.onnx_model import largest_logit_difference, load_torch, write_onnx
from retrain.export.quality_gate import (
    LARGEST_COST_RATIO,
    Cost,
    ExportRefused,
    GateFigures,
    refusals,
)
from retrain.export.quantising import quantise
from retrain.export.result import Exported
from retrain.export.self_test_texts import SELF_TEST_TEXTS
from retrain.export.validation_figures import figures_of_cleaned
from retrain.trained_model import (
    Trained,
    TrainedRefused,
    read_calibration,
    read_trained,
    read_validation,
)
from schemas.atomic_folder import put_in_place, unfinished_beside
from schemas.failures import Failure

_COMPARED_TEXTS: Final = 256
_MORE_MEASUREMENTS: Final = 2


@dataclass(frozen=True, kw_only=True)
class ExportSpec:
    """What to export and where to. `against` is the bundle whose cost it must keep to, if any.

    `tests` are label files that nothing was chosen on: their figures go into the card, marked where
    the training was not told to keep out of them.
    """

    trained: Path
    out: Path
    name: str
    version: str
    licence: str | None
    against: Path | None
    tests: tuple[LabelledFile, ...]
    seed: int


def export(spec: ExportSpec, say: Callable[[str], object]) -> Exported:
    """Write a bundle, whole or not at all: beside its place, then by a rename.

    Raises `ExportRefused` with every rule that the model breaks, `TrainedRefused` for what is no
    trained model, and `Failure` where the place is taken.
    """
    trained = read_trained(spec.trained)
    if spec.out.exists():
        raise Failure(f"{spec.out} already exists: name another folder or remove it")
    against = open_bundle(spec.against) if spec.against else None
    with unfinished_beside(spec.out) as work:
        exported = _Export(spec, trained, work, say).run(against)
        put_in_place(work / "int8", spec.out)
    return exported


class _Export:
    def __init__(
        self, spec: ExportSpec, trained: Trained, work: Path, say: Callable[[str], object]
    ) -> None:
        self._spec = spec
        self._trained = trained
        self._say = say
        self._fp32, self._int8 = work / "fp32", work / "int8"
        self._tokenizer = spec.trained / TOKENIZER
        calibration, validation = read_calibration(spec.trained), read_validation(spec.trained)
        if not calibration or not validation:
            raise TrainedRefused(
                f"{spec.trained} has no validation texts to calibrate on and to measure"
            )
        self._quantised_on = [row.text for row in calibration]
        self._texts = [row.text for row in validation]
        self._truth = truth_of(trained.labels, [row.label for row in validation])

    def run(self, against: Bundle | None) -> Exported:
        """Do everything, and return what came out."""
        spec = self._spec
        fp32, logit_difference = self._unquantised()
        int8 = self._quantised()
        self._say("scoring the validation texts in fp32 and int8")
        answers_fp32 = self._answers(probabilities_of(fp32, self._texts))
        calibration = calibrate(probabilities_of(int8, self._texts), self._truth)
        engine = int8.calibrated_with(
            tuple(of_label.temperature for of_label in calibration),
            tuple(of_label.lead_power for of_label in calibration),
        )
        probabilities = probabilities_of(engine, self._texts)
        answers = self._answers(probabilities)
        self._write_validation_figures(probabilities)
        bundle = self._seal(int8, calibration)
        self._say("scoring texts alone and among others")
        texts_by_batch, differing = labels_by_batch(engine, self._texts)
        figures = GateFigures(
            texts=len(self._texts),
            logit_difference=logit_difference,
            macro_recall_fp32=round(macro_recall(answers_fp32), 6),
            macro_recall_int8=round(macro_recall(answers), 6),
            same_labels=round(same_labels(answers, answers_fp32), 6),
            recall_of_a_text=round(recall_of_a_text(self._truth), 6),
            texts_by_batch=texts_by_batch,
            labels_by_batch=differing,
            size_bytes=sum(file.stat().st_size for file in self._int8.iterdir()),
            cost=self._cost(engine, against) if against else None,
        )
        broken = refusals(figures)
        if broken:
            raise ExportRefused(f"{spec.trained} cannot become a bundle: {'; '.join(broken)}")
        measured = [
            self._measured("validation", answers, chosen_on=True),
            *(self._tested(engine, labelled) for labelled in spec.tests),
        ]
        card = model_card(
            self._trained,
            name=spec.name,
            version=spec.version,
            licence=spec.licence,
            calibration=calibration,
            measured=measured,
            gate=figures,
        )
        (self._int8 / CARD).write_text(card, encoding="utf-8")
        return Exported(
            folder=str(spec.out),
            name=spec.name,
            version=spec.version,
            sha256=bundle.identity.sha256,
            calibration=dict(zip(self._trained.labels, calibration, strict=True)),
            gate=figures,
            measured={found.texts_of: dict(found.figures) for found in measured},
            not_kept_out=tuple(found.texts_of for found in measured if not found.kept_out),
        )

    def _unquantised(self) -> tuple[OnnxEngine, float]:
        """Return the ONNX model, and how far its logits are from PyTorch's at most."""
        self._say("exporting to ONNX")
        model, class_biases = load_torch(self._spec.trained), self._trained.class_biases
        engine = self._written(self._fp32, partial(write_onnx, model, class_biases))
        compared = list(self._batches(self._texts[:_COMPARED_TEXTS]))
        return engine, largest_logit_difference(model, class_biases, engine.logits, compared)

    def _quantised(self) -> OnnxEngine:
        self._say("quantising")
        calibration = list(self._batches(self._quantised_on))
        return self._written(
            self._int8, lambda file: quantise(self._fp32 / MODEL, file, calibration)
        )

    def _written(self, folder: Path, write: Callable[[Path], None]) -> OnnxEngine:
        """Write a model beside its tokenizer, and open both."""
        folder.mkdir()
        shutil.copyfile(self._tokenizer, folder / TOKENIZER)
        write(folder / MODEL)
        trained = self._trained
        return unsealed_engine(folder, labels=trained.labels, max_tokens=trained.max_tokens)

    def _batches(self, texts: Sequence[str]) -> Iterator[Feeds]:
        return batches_of(self._tokenizer, texts, max_tokens=self._trained.max_tokens)

    def _seal(self, int8: OnnxEngine, calibration: Sequence[Calibration]) -> Bundle:
        return seal_bundle(
            self._int8,
            name=self._spec.name,
            version=self._spec.version,
            labels=self._trained.labels,
            cleaning=self._trained.cleaning,
            languages=self._trained.languages,
            max_tokens=self._trained.max_tokens,
            temperature=tuple(of_label.temperature for of_label in calibration),
            lead_power=tuple(of_label.lead_power for of_label in calibration),
            self_test_texts=SELF_TEST_TEXTS,
            unsealed=int8,
        )

    def _write_validation_figures(self, probabilities: Probabilities) -> None:
        """Write what a stream is held against until it has a reference of its own."""
        trained = self._trained
        counts = figures_of_cleaned(
            self._int8,
            trained.labels,
            trained.max_tokens,
            trained.cleaning,
            self._texts,
            probabilities,
        )
        (self._int8 / REFERENCE).write_bytes(encode_validation(counts))

    def _answers(self, probabilities: Probabilities) -> Answers:
        return Answers.of(self._trained.labels, self._truth, probabilities)

    def _cost(self, engine: OnnxEngine, against: Bundle) -> Cost:
        self._say(f"comparing the cost with {against.manifest.name}")
        name = f"{against.manifest.name} {against.manifest.version}"
        other = OnnxEngine(against)
        cost = compare_cost(engine, other, self._texts, against=name)
        # Neighbours on the machine make noise: what would be refused is measured again.
        for _ in range(_MORE_MEASUREMENTS):
            if cost.ratio <= LARGEST_COST_RATIO:
                break
            again = compare_cost(engine, other, self._texts, against=name)
            cost = min(cost, again, key=lambda each: each.ratio)
        return cost

    def _tested(self, engine: OnnxEngine, labelled: LabelledFile) -> Measured:
        self._say(f"scoring {labelled.path.name}")
        labels = self._trained.labels
        truth = truth_of(labels, [row.label for row in labelled.rows])
        clean = CLEANING[self._trained.cleaning]
        texts = [clean(row.text) for row in labelled.rows]
        answers = Answers.of(labels, truth, probabilities_of(engine, texts))
        name = _name_of(labelled.path, [test.path for test in self._spec.tests])
        data = self._trained.data
        kept_out = (
            data is not None and sha256_of(labelled.path) in data.test_sha256 and not data.doubted
        )
        return self._measured(name, answers, kept_out=kept_out)

    def _measured(
        self, texts_of: str, answers: Answers, *, chosen_on: bool = False, kept_out: bool = True
    ) -> Measured:
        figures, classes = figures_alone(answers, seed=self._spec.seed)
        return Measured(
            texts_of=texts_of,
            texts=len(answers.truth),
            figures=figures,
            classes=classes,
            chosen_on=chosen_on,
            kept_out=kept_out,
        )


def _name_of(path: Path, others: Sequence[Path]) -> str:
    """Return how a card names a label file: with its folder where its name alone is not enough."""
    alike = [other.name for other in others].count(path.name) > 1
    return name_with_folder(path) if alike or path.name == "validation" else name_of(path)
