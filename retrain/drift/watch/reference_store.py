"""References in PostgreSQL: of each rule and model of a run at most one is in use."""

from datetime import datetime
from typing import Final

import msgspec
from psycopg2.extensions import cursor

from retrain.drift.reference import Reference
from retrain.drift.window import WindowKey

_DECODER: Final = msgspec.json.Decoder(Reference)


def used_reference(cur: cursor, key: WindowKey) -> Reference | None:
    """Return what windows of a run, rule and model are held against; `key` is of any of them."""
    cur.execute(
        "SELECT reference::text FROM watch_references"
        " WHERE run = %s AND rule = %s AND model_sha256 = %s AND used",
        (key.run, key.rule, key.model_sha256),
    )
    row = cur.fetchone()
    return _DECODER.decode(row[0]) if row else None


def store_reference(
    cur: cursor,
    reference: Reference,
    span: tuple[datetime, datetime],
    *,
    chosen: bool,
    use: bool,
) -> None:
    """Store a reference made of a span; with `use` windows are held against it from now on.

    `chosen` says that a person named the span; others are learned anew where a run is recomputed.
    """
    series = (reference.run, reference.rule, reference.model_sha256)
    if use:
        cur.execute(
            "UPDATE watch_references SET used = false"
            " WHERE run = %s AND rule = %s AND model_sha256 = %s AND used",
            series,
        )
    cur.execute(
        "INSERT INTO watch_references AS r (run, rule, model_sha256, span_from, span_until, chosen,"
        " used, tweets, reference, compared_with)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (run, rule, model_sha256, span_from, span_until) DO UPDATE SET"
        " chosen = r.chosen OR excluded.chosen, used = r.used OR excluded.used,"
        " tweets = excluded.tweets,"
        " reference = excluded.reference, made_at = now()",
        (
            *series,
            *span,
            chosen,
            use,
            reference.tweets,
            msgspec.json.encode(reference, order="sorted").decode(),
            reference.compared_with.value,
        ),
    )
