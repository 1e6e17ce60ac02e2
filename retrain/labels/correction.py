"""Correcting the label of one tweet, with the model's answer in view."""

from datetime import datetime

from msgspec import Struct
from psycopg2.extensions import cursor

from retrain.labels.run_labels import labels_of_run
from retrain.labels.stored_tweets import ShownTweet, shown_tweet
from retrain.labels.write_labels import LabelKey, PersonsLabel, delete_labels, write_labels
from schemas.failures import Failure, NotThere
from schemas.people_labels import LabelOrigin


class Correction(Struct, frozen=True, kw_only=True):
    """What somebody said of a tweet whose answer they saw."""

    labeller: str
    label: str
    labelled_at: datetime


class Correctable(Struct, frozen=True, kw_only=True):
    """A tweet, the labels that it may get, and the correction that stands; None: there is none."""

    tweet: ShownTweet
    labels: tuple[str, ...]
    correction: Correction | None


class Locked(Failure):
    """Somebody else has corrected it: it is theirs to change."""


def correctable(cur: cursor, run: str, root_id: str) -> Correctable:
    """Return a tweet as it is stored now; raise `NotThere` where it has gone."""
    tweet = shown_tweet(cur, run, root_id)
    if tweet is None:
        raise NotThere(f"run {run!r} has no such tweet: it may have been deleted")
    cur.execute(
        "SELECT labeller, label, labelled_at FROM labels WHERE run = %s AND root_id = %s"
        " AND version = %s AND origin = 'correction' AND repeat = 0 AND label IS NOT NULL"
        " ORDER BY labelled_at LIMIT 1",
        (run, root_id, tweet.version),
    )
    found = cur.fetchone()
    standing = (
        None
        if found is None
        else Correction(labeller=found[0], label=found[1], labelled_at=found[2])
    )
    return Correctable(tweet=tweet, labels=labels_of_run(cur, run), correction=standing)


def correct(
    cur: cursor,
    key: LabelKey,
    label: str,
    now: datetime,
    *,
    overrules: bool = False,
) -> None:
    """Store a correction within the caller's transaction; a repeat changes nothing.

    A correction that stands is locked until whoever gave it takes it back; who `overrules` replaces
    that of somebody else. Raises `Locked`, `NotThere`, and `Failure` for a label that the run has
    not.
    """
    cur.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{key.run} {key[1]}",))
    stored = correctable(cur, key.run, key.root_id)
    if stored.tweet.version != key.version:
        raise Failure("the tweet was edited meanwhile: look at it anew")
    if label not in stored.labels:
        raise Failure(f"there are the labels {', '.join(stored.labels)}")
    standing = stored.correction
    if standing is not None and standing.label != label:
        if standing.labeller == key.labeller:
            raise Locked("you have corrected it: take that back first")
        if not overrules:
            raise Locked(f"{standing.labeller} has corrected it, and may take that back")
        delete_labels(cur, [key._replace(labeller=standing.labeller)])
    if not write_labels(cur, [PersonsLabel(key, label, answer_seen=True, labelled_at=now)]):
        raise NotThere("the tweet was deleted meanwhile")


def correction_key(run: str, root_id: str, version: int, labeller: str) -> LabelKey:
    """Return the key of somebody's correction."""
    return LabelKey(run, root_id, version, labeller, LabelOrigin.CORRECTION)
