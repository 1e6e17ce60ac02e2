"""The model that serves: taken between two batches, the one before it kept to go back to."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from msgspec import Struct
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential_jitter

from model_server.bundle_store import BundleUnavailable
from schemas.events import ModelIdentity
from schemas.failures import Failure
from schemas.model_events import PromotedModel

logger = logging.getLogger(__name__)

_FIRST_WAIT_S: Final = 1.0
_LONGEST_WAIT_S: Final = 60.0


class Model(Protocol):
    """Whatever answers; it says which model it is."""

    identity: ModelIdentity


ModelT = TypeVar("ModelT", bound=Model)


class SlotState(Struct, frozen=True, kw_only=True):
    """Which model serves, and which one was promoted and does not serve yet.

    `wanted` is None where the model that serves is the promoted one. `fault` says why the wanted
    one does not serve; it is empty while it is being loaded.
    """

    serving: ModelIdentity
    wanted: PromotedModel | None
    fault: str


class ModelSlot(Generic[ModelT]):
    """Holds the model that serves, and loads a promoted one while that goes on.

    `current` belongs to the threads that score, `load_until` to a thread of its own; `promote` and
    `state` may be called from any. At most two models are in memory: the one that serves, and
    either the one that is loaded or the one that served before, which takes over again without
    being loaded. A model that cannot be had, or is refused, changes nothing: the one that serves
    goes on.
    """

    def __init__(
        self,
        first: ModelT,
        *,
        load: Callable[[PromotedModel], ModelT],
        swapped: Callable[[ModelT], None] = lambda _model: None,
    ) -> None:
        self._load = load
        self._swapped = swapped
        self._changed = threading.Condition()
        self._serving = first
        self._before: ModelT | None = None
        self._next: ModelT | None = None
        self._wanted: PromotedModel | None = None
        self._fault = ""
        self._finished = False

    def current(self) -> ModelT:
        """Return the model for the next batch; one that is ready takes over here."""
        if self._next is None:
            return self._serving
        with self._changed:
            if self._next is None:
                # Another thread has just had it take over.
                return self._serving
            self._serving, self._before = self._next, self._serving
            self._next = self._wanted = None
            serving = self._serving
        self._swapped(serving)
        return serving

    def serving(self) -> ModelT:
        """Return the model that serves, from any thread; nothing takes over here."""
        return self._serving

    def state(self) -> SlotState:
        """Return what the slot is doing."""
        with self._changed:
            return SlotState(serving=self._serving.identity, wanted=self._wanted, fault=self._fault)

    def wait_until_settled(self, timeout_s: float) -> None:
        """Wait until the promoted model is ready or a fault says why not, at most so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._wanted is None or self._next is not None or self._fault != "",
                timeout_s,
            )

    def promote(self, model: PromotedModel) -> None:
        """Have this model serve as soon as it is loaded, in place of any that was promoted before.

        The one that served before the present one is ready at once.
        """
        with self._changed:
            self._next, self._wanted, self._fault = None, None, ""
            if self._serving.identity.sha256 != model.sha256:
                self._wanted = model
                if self._before is not None and self._before.identity.sha256 == model.sha256:
                    self._next = self._before
            self._changed.notify_all()

    def load_until(self, finished: threading.Event) -> None:
        """Load what is promoted until `finished` is set, which is seen within a second."""
        while not finished.is_set():
            with self._changed:
                wanted = self._wanted
                if wanted is None or self._next is not None:
                    self._changed.wait(1.0)
                    continue
                # Its memory is needed for the one that is loaded now.
                self._before = None
            self._load_with_patience(wanted, finished)

    def _load_with_patience(self, model: PromotedModel, finished: threading.Event) -> None:
        def superseded(_state: RetryCallState | None = None) -> bool:
            return finished.is_set() or self._wanted is not model

        def wait(seconds: float) -> None:
            until_s = time.monotonic() + seconds
            with self._changed:
                while not superseded() and (left_s := until_s - time.monotonic()) > 0:
                    self._changed.wait(min(1.0, left_s))

        retrying = Retrying(
            retry=retry_if_exception_type(BundleUnavailable),
            wait=wait_exponential_jitter(_FIRST_WAIT_S, _LONGEST_WAIT_S),
            stop=superseded,
            sleep=wait,
            retry_error_callback=lambda _state: None,
        )
        try:
            loaded = retrying(self._load_noting_faults, model)
        except Failure:
            # It is said in the state, and stays refused until another model is promoted.
            while not superseded():
                wait(1.0)
            return
        with self._changed:
            if loaded is not None and not superseded():
                self._next, self._fault = loaded, ""
                self._changed.notify_all()

    def _load_noting_faults(self, model: PromotedModel) -> ModelT:
        try:
            return self._load(model)
        except Failure as error:
            with self._changed:
                if self._wanted is model:
                    self._fault = str(error)
                    self._changed.notify_all()
            logger.warning(
                "a promoted model does not serve: %s", error, extra={"sha256": model.sha256}
            )
            raise
