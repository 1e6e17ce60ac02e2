"""Several models that share the tweets: which one answers which, and loading the challengers."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from model_server.bundle_store import BundleUnavailable
from model_server.scorer import Scorer
from schemas.events import Tweet
from schemas.failures import Failure
from schemas.model_events import ModelPromoted, PromotedModel
from schemas.tweet_shares import place_of

logger = logging.getLogger(__name__)

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0


@dataclass(frozen=True)
class Arm:
    """A model and up to which place (see `place_of`) the tweets are its own."""

    name: str
    scorer: Scorer
    below: int


@dataclass(frozen=True)
class Split:
    """Models that are all ready; the champion has the lowest places.

    So a challenger whose weight grows keeps the tweets that it had.
    """

    salt: str
    arms: tuple[Arm, ...]

    def arm_of(self, tweet: Tweet) -> Arm:
        """Return the arm of a tweet: one for all its versions, and for its retweets."""
        place = place_of(tweet, self.salt)
        return next(arm for arm in self.arms if place < arm.below)


def arm_names(event: ModelPromoted) -> tuple[str, ...]:
    """Return what the arms of a promotion are called, in the order of its models."""
    others = [
        CHALLENGER if number == 1 else f"{CHALLENGER}-{number}"
        for number in range(1, len(event.models))
    ]
    return (CHAMPION, *others)


class Challengers:
    """Loads the challengers of the last promotion, beside the champion, which others load.

    `want` and `split_with` may be called from any thread, `load_until` belongs to one of its own.
    A challenger that cannot be had, or is refused, gets no tweets: the champion has them all.
    """

    def __init__(self, load: Callable[[PromotedModel], Scorer]) -> None:
        self._load = load
        self._changed = threading.Condition()
        self._event: ModelPromoted | None = None
        self._loaded: dict[str, Scorer] = {}
        self._faults: dict[str, str] = {}
        self._refused: set[str] = set()

    def want(self, event: ModelPromoted) -> None:
        """Follow this promotion from now on; what is loaded and named by it stays."""
        with self._changed:
            named = {model.sha256 for model in event.models}
            self._event = event
            self._loaded = {key: each for key, each in self._loaded.items() if key in named}
            self._faults, self._refused = {}, set()
            self._changed.notify_all()

    def loaded(self, sha256: str) -> Scorer | None:
        """Return a challenger that is in memory."""
        with self._changed:
            return self._loaded.get(sha256)

    def hashes(self) -> frozenset[str]:
        """Return which challengers the last promotion names."""
        with self._changed:
            return frozenset() if self._event is None else frozenset(_challengers(self._event))

    def fault(self) -> str:
        """Return why a challenger gets no tweets; empty where none is known to be lacking."""
        with self._changed:
            return next(iter(self._faults.values()), "")

    def split_with(self, champion: Scorer) -> Split | None:
        """Return the split in force, or None: one model answers all.

        None too while a challenger is not ready, and while another model than the promoted
        champion serves.
        """
        event = self._event
        if event is None or len(event.models) == 1:
            return None
        with self._changed:
            if self._event is not event or champion.identity.sha256 != event.champion.sha256:
                return None
            scorers = [champion, *map(self._loaded.get, _challengers(event))]
        arms, below = [], 0
        for name, model, scorer in zip(arm_names(event), event.models, scorers, strict=True):
            if scorer is None:
                return None
            below += model.weight
            arms.append(Arm(name, scorer, below))
        return Split(event.salt, tuple(arms))

    def wait_until_settled(self, timeout_s: float) -> None:
        """Wait until each challenger is loaded or has a fault, at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._missing() is None or bool(self._faults), timeout_s)

    def load_until(self, finished: threading.Event) -> None:
        """Load what is wanted until `finished` is set, which is seen within a second."""
        while not finished.is_set():
            with self._changed:
                model = self._missing()
                if model is None:
                    self._changed.wait(1.0)
                    continue
                event = self._event
            self._load_with_patience(model, event, finished)

    def _missing(self) -> PromotedModel | None:
        if self._event is None:
            return None
        return next(
            (
                model
                for model in self._event.models[1:]
                if model.sha256 not in self._loaded and model.sha256 not in self._refused
            ),
            None,
        )

    def _load_with_patience(
        self, model: PromotedModel, event: ModelPromoted | None, finished: threading.Event
    ) -> None:
        def superseded(_state: RetryCallState | None = None) -> bool:
            return finished.is_set() or self._event is not event

        def wait(seconds: float) -> None:
            with self._changed:
                self._changed.wait_for(superseded, seconds)

        retrying = Retrying(
            retry=retry_if_exception_type(BundleUnavailable),
            wait=wait_exponential_jitter(_FIRST_WAIT_S, _LONGEST_WAIT_S),
            stop=superseded,
            sleep=wait,
            retry_error_callback=lambda _state: None,
        )
        try:
            loaded = retrying(self._load_noting_faults, model, event)
        except Failure:
            # It stays refused until the next promotion.
            with self._changed:
                if self._event is event:
                    self._refused.add(model.sha256)
            return
        with self._changed:
            if loaded is not None and self._event is event:
                self._loaded[model.sha256] = loaded
                self._faults.pop(model.sha256, None)
                self._changed.notify_all()

    def _load_noting_faults(self, model: PromotedModel, event: ModelPromoted | None) -> Scorer:
        try:
            return self._load(model)
        except Failure as error:
            logger.warning("a challenger gets no tweets: %s", error, extra={"sha256": model.sha256})
            with self._changed:
                if self._event is event:
                    self._faults[model.sha256] = str(error)
                    self._changed.notify_all()
            raise


def _challengers(event: ModelPromoted) -> list[str]:
    return [model.sha256 for model in event.models[1:]]
