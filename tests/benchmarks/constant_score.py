"""`murmur score` with a model that always answers the same: what is left is everything else."""

import sys
from collections.abc import Sequence

import numpy as np

from model_server.onnx_engine import Probabilities
from model_server.scorer import Scorer
from schemas.events import ModelIdentity
from schemas.process.logs import configure_logging
from schemas.setting_views import ModelChoice
from schemas.settings import load_settings
from stream_processors.scoring.score_worker import run_score_worker


class ConstantEngine:
    """Answers every text alike. A test double: only the benchmark of the plumbing uses it."""

    labels = ("negative", "neutral", "positive")

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Return the same row for each text."""
        return np.tile(np.array([[0.2, 0.3, 0.5]]), (len(texts), 1))


def constant_scorer(choice: ModelChoice) -> Scorer:
    """Return a scorer that always answers the same."""
    del choice
    identity = ModelIdentity(name="constant", version="1", sha256="c" * 64, cleaning="1")
    return Scorer(identity, ConstantEngine(), cache_size=0)


def main() -> int:
    """Run the worker."""
    settings = load_settings(None)
    configure_logging(settings.log, "score")
    run_score_worker(settings, 0, load=constant_scorer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
