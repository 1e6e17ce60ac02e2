"""Promoting a bundle, and taking a promotion back."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from psycopg2.extensions import cursor

from model_server.bundle import Bundle, open_bundle
from model_server.scorer import scorer_of
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promotions import (
    Promotion,
    PromotionRefused,
    line_of,
    promotions,
    store,
    to_go_back_to,
    without_promotions,
)
from schemas.failures import Failure
from schemas.model_events import ALL_WEIGHTS, ModelPromoted, PromotedModel
from schemas.transport.postgres import Connection

SERVED_BEFORE: Final = "it served before"
"""Why the installation's own bundle stands in the history: the first promotion stores it too."""


def promote(
    connection: Connection,
    shelf: BundleShelf,
    folder: Path,
    *,
    served_before: Callable[[], Path],
    because: str,
    now: datetime,
    weight: int | None = None,
) -> ModelPromoted:
    """Store a bundle as the champion from now on; the topic is told by `publish_waiting`.

    With a `weight` (in ten-thousandths of the tweets) it is the champion's challenger instead.

    The bundle is loaded and tested first, and put where others can fetch it. `served_before` is the
    bundle of the installation: before the first promotion it is stored as one, so that a rollback
    has somewhere to lead. Raises `RefusedBundle`, `PromotionRefused` where another promotion came
    first, and `Failure` where this one is the champion already.
    """
    bundle = open_bundle(folder)
    scorer_of(bundle, cache_size=0)
    history = promotions(connection)
    if not history:
        served = open_bundle(served_before())
        if served.identity.sha256 == bundle.identity.sha256:
            raise Failure(f"{folder} is the champion already")
        store(connection, _event([_on_shelf(shelf, served)], SERVED_BEFORE, now), after=None)
        history = promotions(connection)
    if history[0].event.champion.sha256 == bundle.identity.sha256:
        raise Failure(f"{folder} is the champion already")
    model = _on_shelf(shelf, bundle)
    models = [model]
    if weight is not None:
        models = [history[0].event.champion, replace(model, weight=weight)]
    event = _event(models, because, now, salt="" if weight is None else secrets.token_hex(8))
    store(connection, event, after=history[0].event.promotion_id)
    # Whoever removed bundles before it was stored did not know that this one is needed.
    shelf.put(bundle)
    return event


def split(
    connection: Connection, *, weight: int | None, because: str, now: datetime
) -> ModelPromoted:
    """Give the challenger another weight, or (None) all tweets to the champion again.

    A challenger that gets more tweets keeps those that it had. Raises `Failure` without one.
    """
    history = promotions(connection)
    if not history or len(history[0].event.models) == 1:
        raise Failure(
            "no challenger has tweets: `murmur models promote BUNDLE --weight 0.1` gives it some"
        )
    last = history[0].event
    if weight is None:
        event = _event([last.champion], because, now)
    else:
        challenger = replace(last.models[1], weight=weight)
        event = _event([last.champion, challenger], because, now, salt=last.salt)
    store(connection, event, after=last.promotion_id)
    return event


def roll_back(
    connection: Connection,
    *,
    to: str | None,
    because: str,
    now: datetime,
    only: str | None = None,
    beside: Callable[[cursor], None] = lambda _: None,
) -> ModelPromoted:
    """Store the champion before the present one, or the one that `to` names, as the champion.

    While models share the tweets, the champion has them all again instead. With `only`, no other
    promotion than that one is taken back. What `beside` writes is stored with it, or neither is.
    Raises `PromotionRefused` where there is none.
    """
    history = promotions(connection)
    if only is not None and (not history or history[0].event.promotion_id != only):
        raise PromotionRefused("another promotion came meanwhile")
    if to is None and history and len(history[0].event.models) > 1:
        # The last thing that was done is the split.
        event = _event([history[0].event.champion], because, now)
        store(connection, event, after=history[0].event.promotion_id, beside=beside)
        return event
    model = to_go_back_to(history, to)
    undone = history[0].event
    if model.sha256 == undone.champion.sha256:
        raise Failure(f"{model.name} {model.version} is the champion already")
    event = _event([model], because, now, undoes=undone.promotion_id)
    store(connection, event, after=undone.promotion_id, beside=beside)
    return event


def clean(connection: Connection, shelf: BundleShelf, *, keep: int) -> list[str]:
    """Remove bundles from the shelf and return their hashes; promotions wait meanwhile.

    The last `keep` champions stay, and so does every model of the last promotion and the one that
    a rollback would lead to.
    """
    with without_promotions(connection) as history:
        removed = sorted(shelf.hashes() - _needed(history, keep))
        for sha256 in removed:
            shelf.remove(sha256)
    return removed


def _needed(history: list[Promotion], keep: int) -> set[str]:
    champions = list(dict.fromkeys(each.event.champion.sha256 for each in history))
    needed = set(champions[: max(keep, 2)])
    if history:
        needed |= {model.sha256 for model in history[0].event.models}
    return needed | {model.sha256 for model in line_of(history)[-2:]}


def _on_shelf(shelf: BundleShelf, bundle: Bundle) -> PromotedModel:
    return PromotedModel(
        name=bundle.identity.name,
        version=bundle.identity.version,
        sha256=bundle.identity.sha256,
        cleaning=bundle.identity.cleaning,
        address=shelf.put(bundle),
    )


def _event(
    models: Sequence[PromotedModel],
    because: str,
    now: datetime,
    *,
    undoes: str = "",
    salt: str = "",
) -> ModelPromoted:
    """Return a promotion; the first model has what the others leave."""
    champion, *challengers = models
    left = ALL_WEIGHTS - sum(each.weight for each in challengers)
    return ModelPromoted(
        promotion_id=secrets.token_hex(8),
        models=(replace(champion, weight=left), *challengers),
        salt=salt,
        decision=because,
        promoted_at=now,
        undoes=undoes,
    )
