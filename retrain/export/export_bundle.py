"""From a trained model to a sealed bundle: export, quantise, calibrate, measure, judge, seal."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model_server.bundle import CARD, MODEL, TOKENIZER, Bundle, open_bundle, sha256_of
from model_server.engine import OnnxEngine, Probabilities
from model_server.sealing import seal_bundle
from retrain.atomic_folder import put_in_place, unfinished_beside
from retrain.datasets.reading import LabelledFile
from retrain.datasets.tweeteval import name_of, name_with_folder
from retrain.evaluation.evaluate import figures_alone
from retrain.evaluation.predictions import Answers, ask, probabilities_of, truth_of
from retrain.export.batches import batches_of
from retrain.export.calibrating import Calibration, calibrate
from retrain.export.card import Measured, model_card
from retrain.export.cost import compare_cost
from retrain.export.gate import Cost, GateFigures, refusals
from retrain.export.measuring import (
    labels_by_batch,
    macro_recall,
    recall_of_a_text,
    same_labels,
)
from retrain.export.onnx_model import largest_logit_difference, load_torch, write_onnx
from retrain.export.quantising import quantise
from retrain.export.result import Exported
from retrain.export.self_test_texts import SELF_TEST_TEXTS
from retrain.trained_model import (
    Trained,
    TrainedRefused,
    read_calibration,
    read_trained,
    read_validation,
)
from schemas.failures import Failure

_COMPARED_TEXTS: Final = 256


class ExportRefused(Failure):
    """The model broke a rule of the gate; no bundle was written."""


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


def export(order: ExportSpec, say: Callable[[str], object]) -> Exported:
    """Write a bundle, whole or not at all: beside its place, then by a rename.

    Raises `ExportRefused` with every rule that the model breaks, `TrainedRefused` for what is no
    trained model, and `Failure` where the place is taken.
    """
    trained = read_trained(order.trained)
    if order.out.exists():
        raise Failure(f"{order.out} already exists: name another folder or remove it")
    against = open_bundle(order.against) if order.against else None
    with unfinished_beside(order.out) as work:
        exported = _Export(order, trained, work, say).run(against)
        put_in_place(work / "int8", order.out)
    return exported


class _Export:
    def __init__(
        self, order: ExportSpec, trained: Trained, work: Path, say: Callable[[str], object]
    ) -> None:
        self._order = order
        self._trained = trained
        self._say = say
        self._fp32, self._int8 = work / "fp32", work / "int8"
        calibration, validation = read_calibration(order.trained), read_validation(order.trained)
        if not calibration or not validation:
            raise TrainedRefused(
                f"{order.trained} has no validation texts to calibrate on and to measure"
            )
        self._quantised_on = [row.text for row in calibration]
        self._texts = [row.text for row in validation]
        self._truth = truth_of(trained.labels, [row.label for row in validation])

    def run(self, against: Bundle | None) -> Exported:
        """Do everything, and return what came out."""
        order = self._order
        logit_difference = self._write_models()
        self._say("scoring the validation texts in fp32 and int8")
        uncalibrated = (Calibration(),) * len(self._trained.labels)
        fp32 = self._answers(self._scored(self._seal(self._fp32, uncalibrated)))
        plain = self._scored(self._seal(self._int8, uncalibrated))
        calibration = calibrate(plain, self._truth)
        bundle = self._seal(self._int8, calibration)
        engine = OnnxEngine(bundle)
        answers = self._answers(probabilities_of(engine, self._texts))
        self._say("scoring texts alone and among others")
        texts_by_batch, differing = labels_by_batch(engine, self._texts)
        figures = GateFigures(
            texts=len(self._texts),
            logit_difference=logit_difference,
            macro_recall_fp32=round(macro_recall(fp32), 6),
            macro_recall_int8=round(macro_recall(answers), 6),
            same_labels=round(same_labels(answers, fp32), 6),
            recall_of_a_text=round(recall_of_a_text(self._truth), 6),
            texts_by_batch=texts_by_batch,
            labels_by_batch=differing,
            size_bytes=sum(file.stat().st_size for file in self._int8.iterdir()),
            cost=self._cost(engine, against) if against else None,
        )
        broken = refusals(figures)
        if broken:
            raise ExportRefused(f"{order.trained} cannot become a bundle: {'; '.join(broken)}")
        measured = [
            self._measured("validation", answers, chosen_on=True),
            *(self._tested(bundle, labelled) for labelled in order.tests),
        ]
        card = model_card(
            self._trained,
            name=order.name,
            version=order.version,
            licence=order.licence,
            calibration=calibration,
            measured=measured,
            gate=figures,
        )
        (self._int8 / CARD).write_text(card, encoding="utf-8")
        return Exported(
            folder=str(order.out),
            name=order.name,
            version=order.version,
            sha256=bundle.identity.sha256,
            calibration=dict(zip(self._trained.labels, calibration, strict=True)),
            gate=figures,
            measured={found.texts_of: dict(found.figures) for found in measured},
            not_kept_out=tuple(found.texts_of for found in measured if not found.kept_out),
        )

    def _write_models(self) -> float:
        """Write both models and return how far the ONNX model is from PyTorch's."""
        order, trained = self._order, self._trained
        self._say("exporting to ONNX")
        model = load_torch(order.trained)
        tokenizer = order.trained / TOKENIZER
        for folder in (self._fp32, self._int8):
            folder.mkdir()
            shutil.copyfile(tokenizer, folder / TOKENIZER)
        write_onnx(model, trained.class_biases, self._fp32 / MODEL)
        compared = list(
            batches_of(tokenizer, self._texts[:_COMPARED_TEXTS], max_tokens=trained.max_tokens)
        )
        difference = largest_logit_difference(
            model, trained.class_biases, self._fp32 / MODEL, compared
        )
        self._say("quantising")
        batches = batches_of(tokenizer, self._quantised_on, max_tokens=trained.max_tokens)
        quantise(self._fp32 / MODEL, self._int8 / MODEL, list(batches))
        return difference

    def _seal(self, folder: Path, calibration: Sequence[Calibration]) -> Bundle:
        return seal_bundle(
            folder,
            name=self._order.name,
            version=self._order.version,
            labels=self._trained.labels,
            cleaning=self._trained.cleaning,
            languages=self._trained.languages,
            max_tokens=self._trained.max_tokens,
            temperature=tuple(of_label.temperature for of_label in calibration),
            lead_power=tuple(of_label.lead_power for of_label in calibration),
            self_test_texts=SELF_TEST_TEXTS,
        )

    def _scored(self, bundle: Bundle) -> Probabilities:
        return probabilities_of(OnnxEngine(bundle), self._texts)

    def _answers(self, probabilities: Probabilities) -> Answers:
        return Answers.of(self._trained.labels, self._truth, probabilities)

    def _cost(self, engine: OnnxEngine, against: Bundle) -> Cost:
        self._say(f"comparing the cost with {against.manifest.name}")
        name = f"{against.manifest.name} {against.manifest.version}"
        return compare_cost(engine, OnnxEngine(against), self._texts, against=name)

    def _tested(self, bundle: Bundle, labelled: LabelledFile) -> Measured:
        self._say(f"scoring {labelled.path.name}")
        labels = self._trained.labels
        truth = truth_of(labels, [row.label for row in labelled.rows])
        answers = Answers.of(labels, truth, ask(bundle, [row.text for row in labelled.rows]))
        name = _name_of(labelled.path, [test.path for test in self._order.tests])
        data = self._trained.data
        kept_out = (
            data is not None and sha256_of(labelled.path) in data.test_sha256 and not data.doubted
        )
        return self._measured(name, answers, kept_out=kept_out)

    def _measured(
        self, texts_of: str, answers: Answers, *, chosen_on: bool = False, kept_out: bool = True
    ) -> Measured:
        figures, classes = figures_alone(answers, seed=self._order.seed)
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
