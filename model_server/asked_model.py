"""Which model a command asks: the one that is named, else the champion, else the default one."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from model_server.bundle_store import BundleStore
from model_server.scorer import Scorer, load_scorer, scorer_of
from schemas.last_promotion import last_promotion
from schemas.model_events import PromotedModel
from schemas.setting_views import ModelChoice
from schemas.settings import MissingSetting
from schemas.transport.postgres import Connection, PostgresUnavailable


def asked_scorer(
    choice: ModelChoice, folder: Path | None, connect: Callable[[], Connection], *, cache_size: int
) -> tuple[Scorer, str]:
    """Return the model that a command asks, and a sentence that says which one it is, and why.

    `folder` is what the command names, `choice` what the settings do. Without both it is the model
    that was promoted last; the default one where none was, or where PostgreSQL does not answer.
    Raises `Failure` where the promoted model is not to be had.
    """
    named = folder or choice.folder
    if named is not None:
        scorer = load_scorer(named, cache_size=cache_size)
        by = "--model" if folder else "MURMUR_MODEL"
        return scorer, f"{_in_short(scorer)} answers, which {by} names"
    champion, why = _champion(connect)
    if champion is None:
        scorer = load_scorer(None, cache_size=cache_size)
        return scorer, f"{_in_short(scorer)} answers, the model that Murmur ships: {why}"
    bundle = BundleStore(choice.store).fetch(champion.address, champion.sha256)
    scorer = scorer_of(bundle, cache_size=cache_size)
    return scorer, f"{_in_short(scorer)} answers, the promoted model"


def _champion(connect: Callable[[], Connection]) -> tuple[PromotedModel | None, str]:
    try:
        with closing(connect()) as connection:
            promoted = last_promotion(connection)
    except (PostgresUnavailable, MissingSetting):
        return None, "PostgreSQL does not say whether another was promoted"
    return (promoted.champion if promoted else None), "no other was promoted"


def _in_short(scorer: Scorer) -> str:
    identity = scorer.identity
    return f"{identity.name} {identity.version} ({identity.sha256[:12]})"
