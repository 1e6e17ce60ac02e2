"""Which model scores, as metrics: its names, how often it changed, whether a promoted one waits."""

import logging
from collections.abc import Callable

from msgspec.structs import asdict
from prometheus_client import CollectorRegistry

from model_server.scorer import Scorer
from schemas.events import ModelIdentity
from schemas.process.metric_list import (
    SCORE_MODEL_INFO,
    SCORE_MODEL_SWAPS,
    SCORE_PROMOTED_NOT_SERVED,
)

logger = logging.getLogger(__name__)


class ModelMetrics:
    """Shows the first model, and each that takes over."""

    def __init__(self, registry: CollectorRegistry, first: ModelIdentity) -> None:
        self._info = SCORE_MODEL_INFO.register(registry)
        self._swaps = SCORE_MODEL_SWAPS.register(registry)
        self._not_served = SCORE_PROMOTED_NOT_SERVED.register(registry)
        self._info.labels(**asdict(first)).set(1)

    def watch(self, cannot_serve_promoted: Callable[[], bool]) -> None:
        """Ask from now on whether a promoted model cannot be served."""
        self._not_served.set_function(cannot_serve_promoted)

    def swapped(self, serving: Scorer) -> None:
        """Show the model that has taken over."""
        self._swaps.inc()
        self._info.clear()
        self._info.labels(**asdict(serving.identity)).set(1)
        logger.info(
            "a promoted model serves",
            extra={"model": serving.identity.name, "sha256": serving.identity.sha256},
        )
