"""A promotion that PostgreSQL has and Kafka did not tell: the service says so by its readiness."""

from collections.abc import Callable

from model_server.model_slot import SlotState
from schemas.escape_for_terminal import shown
from schemas.model_events import PromotedModel
from schemas.process.progress import Health


class UntoldPromotion:
    """Compares the model that was promoted last with what serves, until a promoted one serves.

    `promoted` is PostgreSQL's word at the start of the process, after which `models.promoted` was
    read; None where nothing was promoted, or PostgreSQL could not be asked.
    """

    def __init__(self, promoted: PromotedModel | None, state: Callable[[], SlotState]) -> None:
        self._state = state
        now = state()
        is_told = promoted is None or now.wanted is not None
        self._promoted = None if is_told else promoted
        self._first = now.serving

    def told(self, health: Health) -> Health:
        """Return a health with what is to be done where another model serves than was promoted."""
        promoted = self._promoted
        if promoted is None:
            return health
        now = self._state()
        if now.wanted is not None or now.serving != self._first:
            self._promoted = None
            return health
        if now.serving.sha256 == promoted.sha256:
            return health
        name = f"{shown(promoted.name)} {shown(promoted.version)}"
        return Health(
            health.ok,
            f"{health.detail}; {name} was promoted, and Kafka did not say so: `murmur init` tells "
            "it again",
        )
