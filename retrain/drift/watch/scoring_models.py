"""The models that score, as the watch needs them: their tokenizers, and their validation texts."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from model_server.bundle import Bundle, RefusedBundle, default_bundle, open_bundle
from model_server.bundle_store import BundleStore
from retrain.drift.first_reference import read_validation_counts
from retrain.drift.watch.word_pieces import PieceCounter
from retrain.drift.window import WindowCounts
from retrain.promotion.promotions import Promotion
from schemas.failures import Failure
from schemas.setting_views import ModelChoice

logger = logging.getLogger(__name__)

MOST: Final = 4
"""Models of which something is kept in memory: those of a split, and of a rollback."""

ASKED_AGAIN_AFTER_S: Final = 60.0


class _Known(Struct, frozen=True):
    counter: PieceCounter
    validation: WindowCounts | None


class ScoringModels:
    """Finds what a model's bundle tells the watch, by its hash; for one thread.

    The bundle is the installation's own, or one that was promoted, which is fetched from its
    address. One that cannot be had is asked for again after a minute; the pieces of its tweets are
    not counted meanwhile.
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
        self._known: dict[str, _Known] = {}
        self._missing_since_s: dict[str, float] = {}

    def counter_of(self, sha256: str) -> PieceCounter | None:
        """Return what counts the pieces of this model's tweets; None where it cannot be had."""
        found = self._of(sha256)
        return found.counter if found else None

    def validation_of(self, sha256: str) -> WindowCounts | None:
        """Return the figures of this model's validation texts; None where there are none."""
        found = self._of(sha256)
        return found.validation if found else None

    def _of(self, sha256: str) -> _Known | None:
        if sha256 in self._known:
            return self._known[sha256]
        now_s = self._clock()
        missing_since_s = self._missing_since_s.get(sha256)
        if missing_since_s is not None and now_s - missing_since_s < ASKED_AGAIN_AFTER_S:
            return None
        try:
            bundle = self._find(sha256)
            known = (
                None if bundle is None else _Known(PieceCounter.of(bundle), _validation_of(bundle))
            )
        except Failure as error:
            logger.warning("word pieces are not watched: %s", error, extra={"sha256": sha256})
            known = None
        if known is None:
            self._missing_since_s[sha256] = now_s
            return None
        self._missing_since_s.pop(sha256, None)
        self._known[sha256] = known
        for oldest in list(self._known)[:-MOST]:
            del self._known[oldest]
        return known

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


def _validation_of(bundle: Bundle) -> WindowCounts | None:
    try:
        return read_validation_counts(bundle)
    except RefusedBundle as error:
        logger.warning("the stream is not compared with validation texts: %s", error)
        return None


def scoring_models(choice: ModelChoice, history: Callable[[], list[Promotion]]) -> ScoringModels:
    """Return the models of an installation; `history` tells where promoted ones are."""

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
    return ScoringModels(choice.folder, store, address_of)
