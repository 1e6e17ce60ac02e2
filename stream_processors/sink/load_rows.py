"""Reading what a batch may touch, locked in key order, so that two sinks never wait in a ring."""

from collections.abc import Iterable, Sequence
from datetime import date

from psycopg2.extensions import cursor
from psycopg2.extras import execute_values

from schemas.events import LIVE, ScoredEvent, TweetScored
from stream_processors.retention.prune_limit import kept_from
from stream_processors.sink.decide import State, refusing_tombstones
from stream_processors.sink.live_roots import days_of, forget_roots
from stream_processors.sink.places import Places
from stream_processors.sink.rows import LONGEST_LANGUAGE, Key, Row, Tombstone

_COLUMNS = f"""
    t.run, t.root_id, t.tweet_id, t.version, t.edit_history, t.posted_at, t.rules, t.hashtags,
    t.author_id, t.retweet_of, t.retweet_of_author, s.label, s.confidence, s.model_id,
    CASE WHEN NOT s.language_known THEN left(t.language, {LONGEST_LANGUAGE}) END
"""
# Scores are locked too: their labels may be decided anew meanwhile, and are then read as they are
# after it.
_COUNTING_SCORE = """
    JOIN scores AS s ON s.root_id = t.root_id AND s.run = t.run AND s.day = t.day AND s.counts
"""


def load_state(
    cur: cursor,
    events: Sequence[ScoredEvent],
    requested: frozenset[Tombstone],
    places: Places,
) -> State:
    """Return everything that decides about the events, its rows locked until the commit.

    `places` has all that `requested` concerns.
    """
    posts = [event for event in events if isinstance(event, TweetScored)]
    rows = _posted_before(cur, posts) | _stored_at(cur, places)
    return State(
        rows=rows,
        tombstones=_tombstones(cur, posts, requested),
        requested=requested,
        kept_from=kept_from(cur) if any(post.run == LIVE for post in posts) else date.min,
    )


def load_model_ids(cur: cursor, events: Sequence[ScoredEvent]) -> dict[str, int]:
    """Return the id of each model that scored one of the events, making rows for new models."""
    models = {event.score.model.sha256: event for event in events if isinstance(event, TweetScored)}
    for sha256, event in sorted(models.items()):
        model = event.score.model
        cur.execute(
            "INSERT INTO models (sha256, name, version, cleaning, labels)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (sha256) DO NOTHING",
            (sha256, model.name, model.version, model.cleaning, list(event.score.probabilities)),
        )
    cur.execute("SELECT sha256, model_id FROM models WHERE sha256 = ANY(%s)", (list(models),))
    return dict(cur.fetchall())


def _posted_before(cur: cursor, posts: Sequence[TweetScored]) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for run in sorted({post.run for post in posts}):
        roots = sorted({post.root_id for post in posts if post.run == run})
        if run == LIVE:
            rows |= _posted_before_in_live(cur, roots, {post.day for post in posts})
        else:
            cur.execute(
                f"SELECT {_COLUMNS} FROM tweets AS t {_COUNTING_SCORE}"  # noqa: S608  constants
                " WHERE t.run = %s AND t.root_id = ANY(%s)"
                " ORDER BY t.run, t.root_id FOR UPDATE OF t, s",
                (run, roots),
            )
            rows |= _rows(cur)
    return rows


def _posted_before_in_live(
    cur: cursor, roots: Sequence[str], own_days: Iterable[date]
) -> dict[Key, Row]:
    """Look only into the days that hold one of the root ids, each with its partition's locks.

    A sink of an older release notes no days; its tweets are found where they say that they are.
    """
    noted = days_of(cur, roots)
    days = sorted({*noted.values(), *own_days})
    cur.execute(
        f"SELECT {_COLUMNS} FROM tweets AS t {_COUNTING_SCORE}"  # noqa: S608  constants
        " WHERE t.run = %(run)s AND t.root_id = ANY(%(roots)s)"
        " AND t.day = ANY(%(days)s) AND s.day = ANY(%(days)s)"
        " ORDER BY t.run, t.root_id FOR UPDATE OF t, s",
        {"run": LIVE, "roots": roots, "days": days},
    )
    rows = _rows(cur)
    # Whoever took tweets away by other means left these behind.
    forget_roots(cur, noted.keys() - {root_id for _, root_id in rows})
    return rows


def _stored_at(cur: cursor, places: Places) -> dict[Key, Row]:
    rows: dict[Key, Row] = {}
    for run in places.runs:
        days, roots = places.of_run(run)
        cur.execute(
            f"SELECT {_COLUMNS} FROM tweets AS t {_COUNTING_SCORE}"  # noqa: S608  constants
            " WHERE t.run = %(run)s AND t.root_id = ANY(%(roots)s)"
            " AND t.day = ANY(%(days)s) AND s.day = ANY(%(days)s)"
            " ORDER BY t.run, t.root_id FOR UPDATE OF t",
            {"run": run, "roots": roots, "days": days},
        )
        rows |= _rows(cur)
    return rows


def _rows(cur: cursor) -> dict[Key, Row]:
    rows = []
    for run, root_id, tweet_id, version, versions, posted_at, *others in cur:
        rules, hashtags, author_id, retweet_of, retweet_of_author, *score = others
        label, confidence, model_id, unknown_language = score
        rows.append(
            Row(
                run=run,
                root_id=root_id,
                tweet_id=tweet_id,
                version=version,
                versions=tuple(versions),
                posted_at=posted_at,
                rules=tuple(rules),
                hashtags=tuple(hashtags),
                author_id=author_id,
                retweet_of=retweet_of,
                retweet_of_author=retweet_of_author,
                label=label,
                confidence=confidence,
                model_id=model_id,
                unknown_language=unknown_language,
            )
        )
    return {row.key: row for row in rows}


def _tombstones(
    cur: cursor, posts: Sequence[TweetScored], requested: frozenset[Tombstone]
) -> frozenset[Tombstone]:
    wanted = set(requested).union(*(refusing_tombstones(post) for post in posts))
    if not wanted:
        return frozenset()
    found = execute_values(
        cur,
        "SELECT run, kind, id FROM tombstones JOIN (VALUES %s) AS wanted (run, kind, id)"
        " USING (id, kind, run)",
        sorted((tombstone.run, tombstone.kind, tombstone.id) for tombstone in wanted),
        page_size=10_000,
        fetch=True,
    )
    return frozenset(Tombstone(*record) for record in found)
