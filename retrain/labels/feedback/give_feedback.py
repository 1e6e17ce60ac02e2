"""Feedback stored: of a tweet as `murmur labels` stores it, of a text of one's own beside them."""

from datetime import datetime

from msgspec import Struct
from psycopg2.extensions import cursor

from model_server.http.problems import Refused
from retrain.labels.feedback.locked import is_locked
from retrain.labels.feedback.text_labels import (
    TextLabel,
    stored_text_label,
    write_text_label,
)
from retrain.labels.feedback.tickets import Ticket
from retrain.labels.run_labels import labels_of_run
from retrain.labels.stored_tweets import find_versions, stored_versions
from retrain.labels.write_labels import LabelKey, PersonsLabel, write_labels
from schemas.people_labels import LabelOrigin
from schemas.transport.postgres import Connection


class Labeller(Struct, frozen=True, kw_only=True):
    """Who labels, and whether they may overrule others."""

    name: str
    overrules: bool


class GivenFeedback(Struct, frozen=True, kw_only=True):
    """What is stored now. `is_new` False: the same had been said before.

    `text_sha256` names a text of one's own, the others a tweet.
    """

    label: str
    origin: LabelOrigin
    labeller: str
    is_new: bool
    run: str | None = None
    root_id: str | None = None
    version: int | None = None
    text_sha256: str | None = None


def correct_text(
    connection: Connection, labeller: Labeller, text: str, label: str, now: datetime
) -> GivenFeedback:
    """Store the label of a text of one's own; raise `Refused` where somebody else's stands."""
    given = TextLabel(text, label, labeller.name, now)
    with connection, connection.cursor() as cur:
        stored = stored_text_label(cur, given.text_sha256)
        is_new = stored is None or stored.label != label
        if stored is not None and is_new:
            others = {stored.labeller} - {labeller.name}
            if is_locked(LabelOrigin.CORRECTION, others, overrules=labeller.overrules):
                raise _locked()
        if is_new:
            write_text_label(cur, given)
    return GivenFeedback(
        label=label,
        origin=LabelOrigin.CORRECTION,
        labeller=labeller.name,
        is_new=is_new,
        text_sha256=given.text_sha256,
    )


def correct_tweet(
    connection: Connection,
    labeller: Labeller,
    run: str,
    tweet_id: str,
    label: str | None,
    now: datetime,
) -> GivenFeedback:
    """Store a correction of a stored tweet, in the version that the id means."""
    found = find_versions(connection, run, [tweet_id])
    with connection, connection.cursor() as cur:
        if tweet_id not in found:
            raise _gone()
        root_id, _ = found[tweet_id]
        version = stored_versions(cur, run, [root_id])[root_id].version
        key = LabelKey(run, root_id, version, labeller.name, LabelOrigin.CORRECTION)
        return _store(cur, labeller, key, label, now, answer_seen=True)


def answer_ticket(
    connection: Connection, labeller: Labeller, ticket: Ticket, label: str | None, now: datetime
) -> GivenFeedback:
    """Store the label of a tweet that was drawn for this labeller, without sight of the answer."""
    key = LabelKey(ticket.run, ticket.root_id, ticket.version, labeller.name, ticket.origin)
    with connection, connection.cursor() as cur:
        return _store(cur, labeller, key, label, now, answer_seen=False, second=ticket.second)


def _store(
    cur: cursor,
    labeller: Labeller,
    key: LabelKey,
    label: str | None,
    now: datetime,
    *,
    answer_seen: bool,
    second: bool = False,
) -> GivenFeedback:
    known = labels_of_run(cur, key.run)
    if label is not None and label not in known:
        raise _unknown_label(known)
    cur.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{key.run} {key[1]}",))
    cur.execute(
        "SELECT labeller, label FROM labels WHERE run = %s AND root_id = %s AND version = %s"
        " AND origin = %s AND repeat = 0",
        (key.run, key.root_id, key.version, key.origin.value),
    )
    stored = dict(cur.fetchall())
    others = [
        who for who, said in stored.items() if who != labeller.name and said not in (None, label)
    ]
    if is_locked(key.origin, others, overrules=labeller.overrules, second_opinion=second):
        raise _locked()
    is_new = labeller.name not in stored or stored[labeller.name] != label
    written = write_labels(cur, [PersonsLabel(key, label, answer_seen, now)]) if is_new else {key}
    if not written:
        raise _gone()
    return GivenFeedback(
        label=label or "",
        origin=key.origin,
        labeller=labeller.name,
        is_new=is_new,
        run=key.run,
        root_id=key.root_id,
        version=key.version,
    )


def _locked() -> Refused:
    return Refused(
        409,
        "locked",
        "Somebody else has labelled this.",
        "Who labelled it may change it, and a key with the scope operate may overrule.",
    )


def _gone() -> Refused:
    return Refused(404, "not-there", "There is no such thing.", "The run has no such tweet.")


def _unknown_label(known: tuple[str, ...]) -> Refused:
    return Refused(422, "unknown-label", "There is no such label.", f"There are {_listed(known)}.")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
