"""The tokenizers of the models that score: each is read when its first tweet comes."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from model_server.bundle import Bundle, RefusedBundle, default_bundle, open_bundle
from model_server.bundle_store import BundleStore
from retrain.drift.watch.word_pieces import PieceCounter
from retrain.promotion.promotions import Promotion
from schemas.failures import Failure
from schemas.setting_views import ModelChoice

logger = logging.getLogger(__name__)

MOST: Final = 4
"""Tokenizers that are kept in memory: the models of a split, and of a rollback."""

ASKED_AGAIN_AFTER_S: Final = 60.0


class PieceCounters:
    """Finds the tokenizer of a model by its hash; for one thread.

    It is that of the installation's own bundle, or of one that was promoted, which is fetched from
    its address. A bundle that cannot be had is asked for again after a minute; the pieces of its
    tweets are not counted meanwhile.
    """

    def __init__(
        self,
        own: Path | None,
        store: BundleStore,
        address_of: Callable[[str], str | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._own = own
        self._store = store
        self._address_of = address_of
        self._clock = clock
        self._known: dict[str, PieceCounter] = {}
        self._missing_since_s: dict[str, float] = {}

    def of(self, sha256: str) -> PieceCounter | None:
        """Return what counts the pieces of this model's tweets; None where it cannot be had."""
        if sha256 in self._known:
            return self._known[sha256]
        now_s = self._clock()
        missing_since_s = self._missing_since_s.get(sha256)
        if missing_since_s is not None and now_s - missing_since_s < ASKED_AGAIN_AFTER_S:
            return None
        try:
            bundle = self._find(sha256)
            counter = None if bundle is None else PieceCounter(bundle)
        except Failure as error:
            logger.warning("word pieces are not watched: %s", error, extra={"sha256": sha256})
            counter = None
        if counter is None:
            self._missing_since_s[sha256] = now_s
            return None
        self._missing_since_s.pop(sha256, None)
        self._known[sha256] = counter
        for oldest in list(self._known)[:-MOST]:
            del self._known[oldest]
        return counter

    def _find(self, sha256: str) -> Bundle | None:
        try:
            own = open_bundle(self._own or default_bundle())
        except RefusedBundle as error:
            logger.warning("the installation's bundle is no help: %s", error)
        else:
            if own.identity.sha256 == sha256:
                return own
        address = self._address_of(sha256)
        return None if address is None else self._store.fetch(address, sha256)


def piece_counters(choice: ModelChoice, history: Callable[[], list[Promotion]]) -> PieceCounters:
    """Return the tokenizers of an installation; `history` tells where promoted models are."""

    def address_of(sha256: str) -> str | None:
        return next(
            (
                model.address
                for promotion in history()
                for model in promotion.event.models
                if model.sha256 == sha256
            ),
            None,
        )

    # Of its own: a scoring process keeps nothing in its store but what it serves.
    store = BundleStore(choice.store.with_name("watch-models"))
    return PieceCounters(choice.folder, store, address_of)
