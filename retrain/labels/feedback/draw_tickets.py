"""The queue of `murmur labels`, each tweet with a ticket for whoever asked."""

from datetime import datetime

from psycopg2.extensions import cursor

from retrain.labels.export_labels import tweets_to_label
from retrain.labels.feedback.feedback_types import QueueAnswer, QueuedTweet
from retrain.labels.feedback.tickets import Ticket, signed
from retrain.labels.queue.candidates import Choice
from retrain.labels.queue.draw_queue import draw_queue
from retrain.labels.run_labels import labels_of_run


def draw_tickets(
    cur: cursor, choice: Choice, count: int, *, audits_only: bool, now: datetime
) -> QueueAnswer:
    """Return the next tweets; the same tweets and labels give the same ones."""
    labels = labels_of_run(cur, choice.run)
    drawn = draw_queue(cur, choice, count, audits_only=audits_only)
    secret = feedback_secret(cur)
    wanted = [(each.root_id, each.origin) for each in drawn]
    tweets = {tweet.root_id: tweet for tweet in tweets_to_label(cur, choice.run, wanted)}
    return QueueAnswer(
        run=choice.run,
        labels=list(labels),
        queue=[
            QueuedTweet(
                ticket=signed(
                    Ticket(
                        run=choice.run,
                        root_id=each.root_id,
                        version=tweets[each.root_id].version,
                        labeller=choice.labeller,
                        origin=each.origin,
                        second=choice.second_opinion,
                        drawn_at=now,
                    ),
                    secret,
                ),
                root_id=each.root_id,
                version=tweets[each.root_id].version,
                origin=each.origin,
                part=each.part,
                rule=each.rule,
                copy_of=each.copy_of,
                text=tweets[each.root_id].text,
            )
            for each in drawn
            if each.root_id in tweets
        ],
    )


def feedback_secret(cur: cursor) -> bytes:
    """Return what tickets are signed with; it came with the tables."""
    cur.execute("SELECT secret FROM secrets WHERE purpose = 'feedback'")
    ((secret,),) = cur.fetchall()
    return bytes(secret)
