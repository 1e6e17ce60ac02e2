"""Promotions: guarded by PostgreSQL, told by the topic `models.promoted`.

PostgreSQL decides which of two that come at once is the next one; the topic is how processes hear
of it. A promotion that was stored and not yet published is published by whoever looks next.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from msgspec import Struct
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import cursor

from schemas.codec import TYPE_HEADER
from schemas.failures import Failure
from schemas.model_events import (
    PROMOTED_KEY,
    ModelPromoted,
    PromotedModel,
    decode_promoted,
    encode_promoted,
)
from schemas.setting_views import KafkaConnection
from schemas.transport.postgres import Connection
from schemas.transport.publisher import ConfirmingPublisher, DeliveryFailed

logger = logging.getLogger(__name__)

_CLIENT_ID: Final = "murmur-retrain"


class Promotion(Struct, frozen=True, kw_only=True):
    """A promotion as it is stored; `published_at` is None until Kafka has it."""

    number: int
    event: ModelPromoted
    published_at: datetime | None


class PromotionRefused(Failure):
    """Another promotion came first, or there is none to go back to."""


def promotions(connection: Connection) -> list[Promotion]:
    """Return all promotions, the last one first."""
    with connection, connection.cursor() as cur:
        return _all(cur)


@contextmanager
def without_promotions(connection: Connection) -> Iterator[list[Promotion]]:
    """Yield all promotions, the last one first; until the block ends no other one is stored."""
    with connection, connection.cursor() as cur:
        cur.execute("LOCK TABLE promotions IN EXCLUSIVE MODE")
        yield _all(cur)


def _all(cur: cursor) -> list[Promotion]:
    cur.execute(
        "SELECT promotion_no, event::text, published_at FROM promotions ORDER BY promotion_no DESC"
    )
    return [
        Promotion(number=number, event=decode_promoted(event.encode()), published_at=published)
        for number, event, published in cur
    ]


def store(
    connection: Connection,
    event: ModelPromoted,
    *,
    after: str | None,
    beside: Callable[[cursor], None] = lambda _: None,
) -> None:
    """Store a promotion as the one that follows `after` (None: it is the first).

    What `beside` writes is stored with it, or neither is. Raises `PromotionRefused` where another
    one has followed it meanwhile.
    """
    try:
        with connection, connection.cursor() as cur:
            cur.execute(
                "INSERT INTO promotions (promotion_id, after_id, event, promoted_at)"
                " VALUES (%s, %s, %s, %s)",
                (event.promotion_id, after, encode_promoted(event).decode(), event.promoted_at),
            )
            beside(cur)
    except UniqueViolation as error:
        raise PromotionRefused(
            "another promotion came first: `murmur models list` shows it; run this again if it is "
            "still right"
        ) from error


def forget_publishing(connection: Connection) -> None:
    """Have the last promotion be published once more: Kafka may be another one."""
    with connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE promotions SET published_at = NULL"
            " WHERE promotion_no = (SELECT max(promotion_no) FROM promotions)"
        )


def publish_waiting(connection: Connection, publisher: ConfirmingPublisher, topic: str) -> bool:
    """Publish the last promotion if Kafka may not have it yet; tell whether there was one.

    Each event is whole, so those before it need not be told any more. Repeats change nothing.
    Raises `DeliveryFailed`.
    """
    with connection, connection.cursor() as cur:
        # The lock keeps an older one from being published behind a newer one.
        cur.execute("LOCK TABLE promotions IN EXCLUSIVE MODE")
        cur.execute(
            "SELECT promotion_no, event::text, published_at IS NULL FROM promotions"
            " ORDER BY promotion_no DESC LIMIT 1"
        )
        found = cur.fetchall()
        if not found or not found[0][2]:
            return False
        event = decode_promoted(found[0][1].encode())
        publisher.publish(
            topic,
            key=PROMOTED_KEY,
            value=encode_promoted(event),
            headers=[(TYPE_HEADER, type(event).__name__.encode())],
        )
        publisher.confirm()
        cur.execute(
            "UPDATE promotions SET published_at = now() WHERE published_at IS NULL"
            " AND promotion_no <= %s",
            (found[0][0],),
        )
        return True


def tell_if_waiting(connection: Connection, kafka: KafkaConnection, topic: str) -> None:
    """Publish the last promotion if Kafka may not have it; what it does not take waits on."""
    with connection, connection.cursor() as cur:
        cur.execute(
            "SELECT published_at IS NULL FROM promotions ORDER BY promotion_no DESC LIMIT 1"
        )
        if cur.fetchall() != [(True,)]:
            return
    try:
        publish_waiting(connection, ConfirmingPublisher(kafka, _CLIENT_ID), topic)
    except DeliveryFailed as error:
        logger.warning("the promotion waits until Kafka takes it: %s", error)


def to_go_back_to(history: Sequence[Promotion], sha256: str | None = None) -> PromotedModel:
    """Return the champion that a rollback leads to.

    It is the one that the present champion replaced; rolled back again, the one before that.
    `sha256` (its beginning is enough) names another one of the history instead.
    Raises `PromotionRefused` where there is none, or where the beginning fits several.
    """
    if sha256 is not None:
        fitting = {
            each.event.champion.sha256: each.event.champion
            for each in history
            if each.event.champion.sha256.startswith(sha256)
        }
        if len(fitting) != 1:
            raise PromotionRefused(
                f"{len(fitting)} promoted models have a hash that begins with {sha256}: "
                "`murmur models list` shows them"
            )
        return next(iter(fitting.values()))
    line = line_of(history)
    if len(line) < 2:
        raise PromotionRefused("there is no promoted model to go back to")
    return line[-2]


def line_of(history: Sequence[Promotion]) -> list[PromotedModel]:
    """Return the champions that rollbacks lead through, the present one last."""
    line: list[PromotedModel] = []
    for each in reversed(history):
        champion = each.event.champion
        hashes = [model.sha256 for model in line]
        if each.event.undoes and champion.sha256 in hashes:
            del line[hashes.index(champion.sha256) + 1 :]
        elif not hashes or hashes[-1] != champion.sha256:
            line.append(champion)
    return line
