"""The latest figures of each data set and model as metrics."""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Final

from prometheus_client import CollectorRegistry

from retrain.evaluation.service.stored_evaluations import StoredEvaluation, latest_evaluations
from schemas.failures import Failure
from schemas.process.metric_list import (
    MODEL_ACCURACY,
    MODEL_CONFUSION,
    MODEL_F1,
    MODEL_PRECISION,
    MODEL_RECALL,
)
from schemas.transport.postgres import Connection

logger = logging.getLogger(__name__)

_EVERY_S: Final = 15.0
ALL_LABELS: Final = ""
"""The label of a mean over all labels."""


class Scoreboard:
    """Shows what is stored, also by another process; what is gone there is shown no more."""

    def __init__(
        self,
        lend: Callable[[], AbstractContextManager[Connection]],
        registry: CollectorRegistry,
    ) -> None:
        self._lend = lend
        self._look = threading.Event()
        self._accuracy = MODEL_ACCURACY.register(registry)
        self._by_label = {
            "f1": MODEL_F1.register(registry),
            "precision": MODEL_PRECISION.register(registry),
            "recall": MODEL_RECALL.register(registry),
        }
        self._confusion = MODEL_CONFUSION.register(registry)

    def look(self) -> None:
        """Have it look at once."""
        self._look.set()

    def follow(self, finished: threading.Event) -> None:
        """Show what is stored again and again until `finished` is set."""
        while not finished.is_set():
            try:
                with self._lend() as connection:
                    self.show(latest_evaluations(connection))
            except Failure as failure:
                logger.debug("evaluations cannot be read now: %s", type(failure).__name__)
            # It ends with the process, so that it need not see `finished` at once.
            self._look.wait(_EVERY_S)
            self._look.clear()

    def show(self, evaluations: Iterable[StoredEvaluation]) -> None:
        """Show these and no others."""
        for metric in (self._accuracy, self._confusion, *self._by_label.values()):
            metric.clear()
        for each in reversed(list(evaluations)):
            self._show(each)

    def _show(self, evaluation: StoredEvaluation) -> None:
        found = evaluation.figures
        if found is None:
            return
        run = f" of {evaluation.run}" if evaluation.run else ""
        of = (f"{evaluation.data_set}{run}", f"{evaluation.model_name} {evaluation.model_version}")
        accuracy = found.figures.get("accuracy")
        if accuracy is not None:
            self._accuracy.labels(*of).set(accuracy)
        for name, metric in self._by_label.items():
            values = {each.label: getattr(each, name) for each in found.classes}
            values[ALL_LABELS] = found.figures.get(f"macro_{name}")
            for label, value in values.items():
                if value is not None:
                    metric.labels(*of, label).set(value)
        labels = [each.label for each in found.classes]
        for label, row in zip(labels, found.confusion, strict=True):
            for answer, texts in zip(labels, row, strict=True):
                self._confusion.labels(*of, label, answer).set(texts)
