"""Which models have served, from when on, and why: promotions, and what the settings named.

A promotion tells of itself. A model that `MURMUR_MODEL` names, or that came with an upgrade, is
told by the turns that storing notes: the first tweet that it scored.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from psycopg2.extensions import cursor

from retrain.promotion.promote import SERVED_BEFORE
from retrain.promotion.promotions import Promotion

_EVER: Final = datetime.min.replace(tzinfo=UTC)
_CLOCKS_DIFFER: Final = timedelta(minutes=1)
"""A promotion has the time of who promoted, a turn that of who scored."""


class ModelTurn(NamedTuple):
    """A model that scored from a moment on where another one, or none, had scored before."""

    since: datetime
    sha256: str
    name: str
    version: str


class ServedModel(NamedTuple):
    """A model with its beginning (None: not known). `promotion` None: the settings named it."""

    since: datetime | None
    sha256: str
    name: str
    version: str
    promotion: Promotion | None


def read_turns(cur: cursor) -> list[ModelTurn]:
    """Return the turns that are noted, the first one first."""
    cur.execute("SELECT since, sha256, name, version FROM model_turns ORDER BY since, sha256")
    return [ModelTurn(*row) for row in cur]


def served_models(turns: Sequence[ModelTurn], history: Sequence[Promotion]) -> list[ServedModel]:
    """Return the models that served, the last one first.

    `turns` come from the first to the last, `history` from the last to the first. A turn to a model
    that a promotion in force has is that promotion's.
    """
    promoted = [_promoted(each) for each in reversed(history)]
    if history and history[-1].event.decision == SERVED_BEFORE:
        # It is stored with the first promotion, and served before.
        promoted[0] = promoted[0]._replace(since=_began(turns, history[-1]))
    found = list(promoted)
    last: str | None = None
    for turn in turns:
        if turn.sha256 == last:
            continue
        last = turn.sha256
        by_now = turn.since + _CLOCKS_DIFFER
        in_force = [each for each in promoted if each.since is None or each.since <= by_now]
        by_settings = [
            each
            for each in found
            if each.promotion is None and in_force and _is_later(each, in_force[-1])
        ]
        if in_force and not by_settings and turn.sha256 in _hashes(in_force[-1]):
            continue
        found.append(ServedModel(turn.since, turn.sha256, turn.name, turn.version, None))
    return sorted(found, key=_order, reverse=True)


def _promoted(promotion: Promotion) -> ServedModel:
    champion = promotion.event.champion
    return ServedModel(
        promotion.event.promoted_at, champion.sha256, champion.name, champion.version, promotion
    )


def _began(turns: Sequence[ModelTurn], first: Promotion) -> datetime | None:
    """Return since when the model that served before the first promotion did, in one stretch."""
    before = [turn for turn in turns if turn.since <= first.event.promoted_at]
    return before[-1].since if before and before[-1].sha256 == first.event.champion.sha256 else None


def _is_later(one: ServedModel, other: ServedModel) -> bool:
    return one.since is not None and (other.since is None or one.since > other.since)


def _hashes(served: ServedModel) -> set[str]:
    models = served.promotion.event.models if served.promotion else ()
    return {served.sha256, *(model.sha256 for model in models)}


def _order(served: ServedModel) -> tuple[datetime, int]:
    number = served.promotion.number if served.promotion else 0
    return served.since or _EVER, number
