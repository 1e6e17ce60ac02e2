"""The model of a process that serves: its own at first, then whichever was promoted last."""

import logging
from collections.abc import Callable
from typing import Final

from model_server.bundle_store import BundleStore
from model_server.model_slot import ModelSlot
from model_server.scorer import Scorer, scorer_of
from model_server.split import Challengers, Split
from schemas.codec import InvalidEvent
from schemas.model_events import PROMOTED_KEY, PromotedModel, decode_promoted
from schemas.process.progress import Health
from schemas.process.running_process import RunningProcess
from schemas.setting_views import Cluster, ModelChoice
from schemas.topics import MODELS_PROMOTED
from schemas.transport.compacted_topic import CompactedTopic, load_at_start

logger = logging.getLogger(__name__)

_SETTLED_WITHIN_S: Final = 60.0


class ServingModel:
    """Follows `models.promoted` and has each promoted model serve, by itself.

    A process whose `choice` names a bundle serves that one, whatever is promoted. One that starts
    serves the promoted model from its first text on, if it is to be had; a process that cannot get
    a promoted model goes on with the one that it has, and its readiness says so. Where it takes
    part in splits (`splits`), it has the challengers of a promotion too.
    """

    def __init__(
        self,
        cluster: Cluster,
        choice: ModelChoice,
        first: Scorer,
        *,
        swapped: Callable[[Scorer], None] = lambda _scorer: None,
        splits: bool = False,
    ) -> None:
        self._choice = choice
        self._store = BundleStore(choice.store)
        self.slot = ModelSlot(first, load=self._load, swapped=swapped)
        self._challengers = Challengers(self._load) if splits else None
        self._topic = CompactedTopic(
            cluster.kafka,
            cluster.names.topic(MODELS_PROMOTED),
            client_id="murmur-models",
            take=self._take,
        )

    def follow(self, process: RunningProcess) -> bool:
        """Read what was promoted, have it serve, and follow what comes, in threads of their own.

        Returns whether to begin: not, where the process was told to stop first.
        """
        if self._choice.folder is not None:
            return not process.stop.asked()
        ask_readiness = process.ask_readiness
        process.ask_readiness = lambda: self._told(ask_readiness())
        if not load_at_start(self._topic.load, process.progress, process.stop.asked):
            return False
        works = [("models", self._topic.follow_until), ("load", self.slot.load_until)]
        if self._challengers is not None:
            works.append(("challengers", self._challengers.load_until))
        for name, work in works:
            process.run_beside(name, work)
        self.slot.wait_until_settled(_SETTLED_WITHIN_S)
        if self._challengers is not None:
            self._challengers.wait_until_settled(_SETTLED_WITHIN_S)
        return not process.stop.asked()

    def cannot_serve_promoted(self) -> bool:
        """Tell whether a promoted model does not serve, and that is known not to pass by itself."""
        return self.slot.state().fault != "" or self._fault_of_challengers() != ""

    def split_with(self, champion: Scorer) -> Split | None:
        """Return how the tweets are split while this model serves; None: it answers all."""
        return None if self._challengers is None else self._challengers.split_with(champion)

    def _told(self, health: Health) -> Health:
        state = self.slot.state()
        if not state.fault or state.wanted is None:
            fault = self._fault_of_challengers()
            if not fault:
                return health
            return Health(health.ok, f"{health.detail}; a challenger gets no tweets: {fault}")
        wanted = f"{state.wanted.name} {state.wanted.version} ({state.wanted.sha256[:12]})"
        return Health(health.ok, f"{health.detail}; {wanted} does not serve: {state.fault}")

    def _fault_of_challengers(self) -> str:
        return "" if self._challengers is None else self._challengers.fault()

    def _load(self, model: PromotedModel) -> Scorer:
        challengers = self._challengers
        known = None if challengers is None else challengers.loaded(model.sha256)
        if known is not None:
            return known
        bundle = self._store.fetch(model.address, model.sha256)
        scorer = scorer_of(bundle, cache_size=self._choice.cache_texts)
        state = self.slot.state()
        kept = {model.sha256, state.serving.sha256}
        if state.wanted is not None:
            kept.add(state.wanted.sha256)
        if challengers is not None:
            kept |= challengers.hashes()
        self._store.keep_only(frozenset(kept))
        return scorer

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        if key != PROMOTED_KEY or value is None:
            return
        try:
            promoted = decode_promoted(value)
        except InvalidEvent as error:
            logger.warning("ignored a message of the promoted models' topic: %s", error)
            return
        logger.info(
            "a model was promoted",
            extra={"model": promoted.champion.name, "sha256": promoted.champion.sha256},
        )
        if self._challengers is not None:
            self._challengers.want(promoted)
        self.slot.promote(promoted.champion)
