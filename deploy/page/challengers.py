"""Champion and challenger side by side: on the same tweets (shadow), or each on its own share."""

from contextlib import suppress
from typing import Any

from deploy.page.page_sources import PageSources
from retrain.comparison.load_arms import load_arms
from retrain.comparison.load_pairs import load_comparison
from schemas.failures import Failure


def challenger_values(sources: PageSources, run: str, *, is_split: bool) -> dict[str, Any]:
    """Return both comparisons of a run; None where there is no such challenger.

    The arms are compared only while two models share the tweets (`is_split`): it reads all scores.
    """

    def ask() -> dict[str, Any]:
        paired, arms = None, None
        # There is none, or the run is too large to be compared in time: the rest is shown.
        with suppress(Failure), sources.lend() as connection:
            paired = load_comparison(connection, run)
        if is_split:
            with suppress(Failure), sources.lend() as connection:
                arms = load_arms(connection, run)
        return {"paired": paired, "arms": arms}

    return sources.shared.get(("challenger", run, is_split), ask)
