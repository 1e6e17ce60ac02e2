"""The queue of one person, read from PostgreSQL and drawn."""

from psycopg2.extensions import cursor

from retrain.labels.queue.candidates import Choice, load_candidates
from retrain.labels.queue.draw import Drawn, draw


def draw_queue(cur: cursor, choice: Choice, count: int, *, audits_only: bool) -> list[Drawn]:
    """Return up to `count` tweets; the same tweets and labels give the same ones."""
    candidates = load_candidates(cur, choice, audits_wanted=count)
    # Of what others have audited, nothing is left to be chosen for another reason.
    return draw(candidates, count, audits_only=audits_only or choice.second_opinion)
