"""What a person sees who corrects the label of one tweet; `feedback/` stores what they say."""

from datetime import datetime

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.labels.run_labels import labels_of_run
from retrain.labels.stored_tweets import ShownTweet, shown_tweet
from schemas.failures import NotThere


class Correction(Struct, frozen=True, kw_only=True):
    """What somebody said of a tweet whose answer they saw."""

    labeller: str
    label: str
    labelled_at: datetime


class Correctable(Struct, frozen=True, kw_only=True):
    """A tweet, the labels that it may get, and the last correction of it; None: there is none."""

    tweet: ShownTweet
    labels: tuple[str, ...]
    correction: Correction | None


def correctable(cur: cursor, run: str, root_id: str) -> Correctable:
    """Return a tweet as it is stored now; raise `NotThere` where it has gone."""
    tweet = shown_tweet(cur, run, root_id)
    if tweet is None:
        raise NotThere(f"run {run!r} has no such tweet: it may have been deleted")
    cur.execute(
        "SELECT labeller, label, labelled_at FROM labels WHERE run = %s AND root_id = %s"
        " AND version = %s AND origin = 'correction' AND repeat = 0 AND label IS NOT NULL"
        " ORDER BY labelled_at DESC, labeller LIMIT 1",
        (run, root_id, tweet.version),
    )
    found = cur.fetchone()
    last = (
        None
        if found is None
        else Correction(labeller=found[0], label=found[1], labelled_at=found[2])
    )
    return Correctable(tweet=tweet, labels=labels_of_run(cur, run), correction=last)
