"""Texts as people wrote them to predictions; equal texts are scored once."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cachetools import LRUCache

from model_server.bundle import Bundle, default_bundle, open_bundle
from model_server.cleaning import CLEANING
from model_server.known_languages import language_known
from model_server.onnx_engine import Engine, OnnxEngine, Probabilities
from model_server.self_test import self_test
from schemas.events import ModelIdentity


@dataclass(frozen=True)
class Prediction:
    """The model's answer to one text. Values are rounded to six decimals, so that they are the
    same number in JSON, PostgreSQL and every reader's arithmetic."""

    label: str
    confidence: float
    probabilities: dict[str, float]


class Scorer:
    """Cleans, looks up, scores. Retweets are a third of a real stream and cost a look-up each.

    The cache holds `cache_size` texts, the least recently used leaves first; it belongs to one
    model. Any number of threads may ask at once; `engine_cpu_s` is what they spent in the tokenizer
    and the model.
    """

    def __init__(
        self,
        identity: ModelIdentity,
        engine: Engine,
        *,
        cache_size: int,
        languages: Sequence[str] = (),
        clean: Callable[[str], str] | None = None,
    ) -> None:
        self.identity = identity
        self.cache_hits = 0
        self.cache_misses = 0
        self.engine_cpu_s = 0.0
        self._engine = engine
        self._languages = frozenset(languages)
        self._clean = clean or CLEANING[identity.cleaning]
        self._cache: LRUCache[str, Prediction] = LRUCache(maxsize=cache_size)
        self._lock = threading.Lock()

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label that a prediction may have."""
        return self._engine.labels

    def knows(self, language: str | None) -> bool | None:
        """Tell whether the model was made for a language; None where that cannot be told."""
        return language_known(language, self._languages)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction for each text, in order."""
        cleaned = [self._clean(text) for text in texts]
        with self._lock:
            known = {text: self._cache[text] for text in set(cleaned) if text in self._cache}
            new = [text for text in dict.fromkeys(cleaned) if text not in known]
            self.cache_misses += len(new)
            self.cache_hits += len(texts) - len(new)
        if new:
            started_s = time.thread_time()
            rows = self._engine.probabilities(new)
            spent_s = time.thread_time() - started_s
            found = dict(zip(new, _predictions(self._engine.labels, rows), strict=True))
            known |= found
            with self._lock:
                self.engine_cpu_s += spent_s
                if self._cache.maxsize >= 1:
                    self._cache.update(found)
        return [known[text] for text in cleaned]


def _predictions(labels: tuple[str, ...], rows: Probabilities) -> list[Prediction]:
    # The label follows from the rounded ones: stored probabilities give the same label again.
    rounded = rows.round(6)
    best = rounded.argmax(axis=1).tolist()
    return [
        Prediction(labels[column], row[column], dict(zip(labels, row, strict=True)))
        for column, row in zip(best, rounded.tolist(), strict=True)
    ]


def load_scorer(folder: Path | None, *, cache_size: int) -> Scorer:
    """Open, load and self-test a bundle (None: the default); raise `RefusedBundle` otherwise."""
    return scorer_of(open_bundle(folder or default_bundle()), cache_size=cache_size)


def scorer_of(bundle: Bundle, *, cache_size: int) -> Scorer:
    """Load and self-test a bundle that was opened; raise `RefusedBundle` where it is not fit."""
    engine = OnnxEngine(bundle)
    self_test(bundle, engine)
    return Scorer(
        bundle.identity, engine, cache_size=cache_size, languages=bundle.manifest.languages
    )
