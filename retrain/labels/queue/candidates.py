"""The tweets that a queue is drawn from, read in one go."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.events import LIVE
from schemas.sampled_tweets import EVERY_LEVEL, levels_for

POOL: Final = 20_000
"""Tweets that uncertain and drifted ones are looked for among: of a larger choice, those with the
lowest ranks, which are a uniform sample of it."""

DAYS_OF_LIVE: Final = 14
"""Of `live` the last days are read, unless others are named."""

_MOST_CHARS: Final = 2_000
_LABELLED_TEXTS: Final = 5_000


class Candidate(NamedTuple):
    """A tweet that somebody may be asked about.

    `rank` is its place in the order of audits; `was_asked` whether somebody labelled it already for
    another reason than an audit. Of a long text only the beginning is here.
    """

    root_id: str
    rank: int
    posted_at: datetime
    rules: tuple[str, ...]
    text: str
    probabilities: Mapping[str, float]
    was_asked: bool


class Choice(Struct, frozen=True, kw_only=True):
    """Of which tweets of a run a queue is made, and for whom.

    `first_day` and `last_day` are included; None is unbounded (for `live`: the last 14 days).
    """

    run: str
    labeller: str
    rule: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    second_opinion: bool = False


class Candidates(NamedTuple):
    """What a queue is drawn from; every list is by rank.

    `pool` has the lowest ranks that nobody audited, `by_rule` the same of each rule. `audits`
    counts the audits that there are by rule. `labelled_texts` are what people have seen lately.
    """

    pool: list[Candidate]
    by_rule: dict[str, list[Candidate]]
    audits: Counter[str]
    labelled_texts: list[str]


_CHOSEN: Final = """
    t.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s
    AND (%(rule)s IS NULL OR %(rule)s = ANY(t.rules))
"""
_AUDITED: Final = """
    SELECT FROM labels AS l WHERE l.run = t.run AND l.root_id = t.root_id AND l.origin = 'audit'
    AND NOT l.answer_seen
"""
_FREE: Final = f"{_CHOSEN} AND NOT EXISTS ({_AUDITED})"
_SECOND: Final = (
    f"{_CHOSEN} AND EXISTS ({_AUDITED} AND l.labeller <> %(labeller)s)"
    f" AND NOT EXISTS ({_AUDITED} AND l.labeller = %(labeller)s)"
)

_AUDITS_OF_RUN: Final = "SELECT count(*) FROM labels WHERE run = %(run)s AND origin = 'audit'"

_LOWEST: Final = """
WITH ranked AS MATERIALIZED (
    SELECT t.root_id, t.day, audit_rank(t.root_id) AS rank FROM tweets AS t
    WHERE {chosen} AND audit_level(t.root_id) = ANY(%(levels)s::smallint[])
    ORDER BY 3, 1 LIMIT %(most)s
)
"""
_RANKED: Final = """
SELECT t.root_id, r.rank, t.posted_at, t.rules, left(t.text, %(chars)s), s.probabilities,
       EXISTS (SELECT FROM labels AS l WHERE l.run = t.run AND l.root_id = t.root_id
               AND l.origin = 'queue')
FROM ranked AS r
JOIN tweets AS t ON t.root_id = r.root_id AND t.day = r.day
JOIN scores AS s ON s.root_id = r.root_id AND s.day = r.day AND s.counts
WHERE t.run = %(run)s AND s.run = %(run)s AND t.day BETWEEN %(first_day)s AND %(last_day)s
    AND s.day BETWEEN %(first_day)s AND %(last_day)s
ORDER BY r.rank, r.root_id
"""
_LOWEST_BY_RULE: Final = """
WITH placed AS MATERIALIZED (
    SELECT root_id, day, rank FROM (
        SELECT t.root_id, t.day, audit_rank(t.root_id) AS rank,
               row_number() OVER (PARTITION BY rule ORDER BY audit_rank(t.root_id), t.root_id)
                   AS place
        FROM tweets AS t CROSS JOIN unnest(t.rules) AS rule
        WHERE rule <> ALL(%(plentiful)s::text[]) AND {chosen}
            AND audit_level(t.root_id) = ANY(%(levels)s::smallint[])
    ) AS numbered WHERE place <= %(most)s
), ranked AS MATERIALIZED (SELECT DISTINCT root_id, day, rank FROM placed)
"""


_READ_BY_RULE: Final = 30_000
"""At least so many tweets of a larger choice, those of the lowest ranks, are looked through for the
lowest ones of each rule: a rule that is rarer than a thousandth may have fewer than are wanted."""


def load_candidates(cur: cursor, choice: Choice, *, audits_wanted: int) -> Candidates:
    """Read what a queue with up to so many audits is drawn from.

    The days are gone through a few times, whatever they hold; what comes back has a bound.
    """
    values = _values(cur, choice)
    chosen = _SECOND if choice.second_opinion else _FREE
    statement = _LOWEST.format(chosen=chosen) + _RANKED
    # All ranks of millions take longer than anybody waits: the lowest are in few levels.
    tweets = _tweets_of(cur, values)
    levels: Sequence[int] = EVERY_LEVEL
    if not choice.second_opinion:
        # Those that were audited have the lowest ranks, and are none of the pool.
        cur.execute(_AUDITS_OF_RUN, values)
        ((audits,),) = cur.fetchall()
        levels = levels_for(tweets, POOL + audits)
    pool = _candidates(cur, statement, {**values, "most": POOL, "levels": list(levels)})
    if len(pool) < POOL and len(levels) < len(EVERY_LEVEL):
        pool = _candidates(cur, statement, {**values, "most": POOL, "levels": list(EVERY_LEVEL)})
    by_rule = _by_rule(pool)
    if choice.rule is None and len(pool) == POOL:
        # Of the others, the lowest ranks of all tweets hold the lowest ones of the rule.
        plentiful = [rule for rule, found in by_rule.items() if len(found) >= audits_wanted]
        statement = _LOWEST_BY_RULE.format(chosen=chosen) + _RANKED
        wanted = {
            **values,
            "most": audits_wanted,
            "plentiful": plentiful,
            "levels": levels_for(tweets, _READ_BY_RULE),
        }
        found_by_rule = _by_rule(_candidates(cur, statement, wanted))
        by_rule |= {
            rule: found[:audits_wanted]
            for rule, found in found_by_rule.items()
            if rule not in plentiful
        }
    return Candidates(
        pool=pool,
        by_rule=dict(sorted(by_rule.items())),
        audits=_audits_by_rule(cur, values),
        labelled_texts=_labelled_texts(cur, values),
    )


def _tweets_of(cur: cursor, values: Mapping[str, Any]) -> int:
    cur.execute(
        "SELECT coalesce(sum(tweets), 0) FROM rollups WHERE run = %(run)s AND granularity = 'day'"
        " AND rule = coalesce(%(rule)s, '')"
        " AND (bucket_start AT TIME ZONE 'UTC')::date BETWEEN %(first_day)s AND %(last_day)s",
        values,
    )
    ((tweets,),) = cur.fetchall()
    return int(tweets)


def _values(cur: cursor, choice: Choice) -> dict[str, Any]:
    first, last = choice.first_day or date.min, choice.last_day or date.max
    if choice.run == LIVE and choice.first_day is None:
        # Of the days that hold something: a stream may have rested.
        cur.execute(
            "SELECT min(day) FROM (SELECT DISTINCT day FROM live_roots WHERE day <= %s"
            " ORDER BY day DESC LIMIT %s) AS newest",
            (last, DAYS_OF_LIVE),
        )
        ((oldest,),) = cur.fetchall()
        first = oldest or first
    return {
        "run": choice.run,
        "rule": choice.rule,
        "labeller": choice.labeller,
        "first_day": first,
        "last_day": last,
        "chars": _MOST_CHARS,
    }


def _candidates(cur: cursor, statement: str, values: Mapping[str, Any]) -> list[Candidate]:
    cur.execute(statement, values)
    return [
        Candidate(root_id, rank, posted_at, tuple(rules), text, probabilities, was_asked)
        for root_id, rank, posted_at, rules, text, probabilities, was_asked in cur
    ]


def _by_rule(candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    by_rule: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for rule in candidate.rules:
            by_rule[rule].append(candidate)
    return by_rule


def _audits_by_rule(cur: cursor, values: Mapping[str, Any]) -> Counter[str]:
    cur.execute(
        f"SELECT t.rules FROM tweets AS t WHERE {_CHOSEN} AND EXISTS ({_AUDITED})",  # noqa: S608  constants
        values,
    )
    return Counter(rule for (rules,) in cur for rule in rules)


def _labelled_texts(cur: cursor, values: Mapping[str, Any]) -> list[str]:
    cur.execute(
        "WITH latest AS MATERIALIZED (SELECT root_id, max(labelled_at) AS at FROM labels"  # noqa: S608  constants
        " WHERE run = %(run)s AND origin IN ('audit', 'queue') GROUP BY root_id"
        " ORDER BY 2 DESC, 1 LIMIT %(most)s)"
        f" SELECT left(t.text, %(chars)s) FROM latest JOIN tweets AS t USING (root_id)"
        f" WHERE {_CHOSEN} ORDER BY t.root_id",
        {**values, "most": _LABELLED_TEXTS},
    )
    return [text for (text,) in cur]
