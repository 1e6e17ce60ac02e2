"""The figures of a run, computed from PostgreSQL's rollups, or from its rows where it must be."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from schemas import sampled_tweets
from schemas.stored_decisions import named_in_use
from schemas.transport.postgres import Connection
from stream_processors.aggregates import sum_rollups, time_windows
from stream_processors.aggregates.aggregates import (
    EVERYTHING,
    Aggregates,
    DecisionInUse,
    LanguageFigures,
    Selection,
)
from stream_processors.aggregates.audit_figures import (
    all_audited,
    rules_audited,
    rules_with_audits,
)
from stream_processors.aggregates.audit_rows import AuditRow, audits_of
from stream_processors.aggregates.audited_spans import audited_spans
from stream_processors.aggregates.count_rows import (
    ROWS,
    SAMPLE,
    UNKNOWN_LANGUAGES_OF_ROWS,
    Statements,
)
from stream_processors.aggregates.sum_rollups import DayCount, NamedCount, RollupRow, StepCount
from stream_processors.aggregates.time_windows import Bounds, Window

_TOP_HASHTAGS: Final = 20
_TOP_LANGUAGES: Final = 10

_FIRST_AND_NEWEST = """
SELECT
    (SELECT bucket_start FROM rollups
     WHERE run = %(run)s AND granularity = 'minute' AND rule = '' AND tweets > 0
     ORDER BY bucket_start LIMIT 1),
    (SELECT bucket_start FROM rollups
     WHERE run = %(run)s AND granularity = 'minute' AND rule = '' AND tweets > 0
     ORDER BY bucket_start DESC LIMIT 1)
"""

_TOTALS = """
SELECT r.rule, r.label, m.name, m.version, m.sha256,
       sum(r.tweets)::bigint, sum(r.confidence_micros)::bigint
FROM rollups AS r JOIN models AS m USING (model_id)
WHERE r.run = %(run)s AND r.granularity = %(granularity)s
  AND r.bucket_start >= %(start)s AND r.bucket_start < %(end)s
  AND (%(rules)s::text[] IS NULL OR r.rule = ANY(%(rules)s::text[]))
  AND (%(labels)s::text[] IS NULL OR r.label = ANY(%(labels)s::text[]))
GROUP BY r.rule, r.label, m.model_id
"""

_HASHTAGS = """
WITH counted AS (
    SELECT hashtag, label, sum(tweets)::bigint AS tweets FROM hashtag_rollups
    WHERE run = %(run)s AND granularity = %(granularity)s
      AND bucket_start >= %(start)s AND bucket_start < %(end)s
      AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s::text[]))
    GROUP BY hashtag, label
), top AS (
    SELECT hashtag FROM counted GROUP BY hashtag HAVING sum(tweets) > 0
    ORDER BY sum(tweets) DESC, hashtag LIMIT %(most)s
)
SELECT hashtag, label, tweets FROM counted JOIN top USING (hashtag)
"""

_UNKNOWN_LANGUAGES = """
SELECT language, sum(tweets)::bigint FROM unknown_language_rollups
WHERE run = %(run)s AND granularity = %(granularity)s
  AND bucket_start >= %(start)s AND bucket_start < %(end)s
GROUP BY language HAVING sum(tweets) > 0
ORDER BY sum(tweets) DESC, language
"""

_SERIES = """
SELECT date_bin(%(step)s, bucket_start, %(origin)s) AS start, label, sum(tweets)::bigint
FROM rollups
WHERE run = %(run)s AND granularity = %(granularity)s AND rule = %(rule)s
  AND bucket_start >= %(start)s AND bucket_start < %(end)s
  AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s::text[]))
GROUP BY start, label
"""

_DAYS = """
SELECT rule, (bucket_start AT TIME ZONE 'UTC')::date AS day, sum(tweets)::bigint
FROM rollups
WHERE run = %(run)s AND granularity = %(granularity)s AND rule = ANY(%(audited)s)
  AND bucket_start >= %(start)s AND bucket_start < %(end)s
  AND (%(labels)s::text[] IS NULL OR label = ANY(%(labels)s::text[]))
GROUP BY rule, day
"""

_ROLLUPS: Final = Statements(totals=_TOTALS, hashtags=_HASHTAGS, series=_SERIES, days=_DAYS)


def aggregates_of(
    connection: Connection,
    run: str,
    wanted: Sequence[Window],
    now: datetime,
    selection: Selection = EVERYTHING,
    *,
    most_rows: int | None = None,
) -> list[Aggregates]:
    """Return a run's figures over each window, all of one moment of the database.

    Rollups know labels, and rules one by one: with a language, or with several rules, the tweets
    themselves are read (`count_rows.py` says what that costs); so they are for the hashtags of one
    rule. Where those are more than `most_rows` (None: however many), about so many of them are
    read, and `sampled_tweets` says how many. Days that were pruned are in the rollups alone. Leaves
    no transaction open. Raises `psycopg2.Error` where the database does not answer.
    """
    connection.rollback()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(_FIRST_AND_NEWEST, {"run": run})
        first, newest = cursor.fetchall()[0]
        audits = [audit for audit in audits_of(cursor, run) if _is_selected(audit, selection)]
        in_use = named_in_use(cursor, run)
        decision = DecisionInUse(id=in_use[0], model_sha256=in_use[1]) if in_use else None
        return [
            replace(
                _over(cursor, run, window, first, newest, now, selection, audits, most_rows),
                decision=decision,
            )
            for window in wanted
        ]


def reads_tweets(selection: Selection) -> bool:
    """Whether the figures of a selection are counted from tweets, and not from rollups."""
    return bool(selection.languages) or len(selection.rules) > 1


def _over(
    cursor: Any,
    run: str,
    window: Window,
    first: datetime | None,
    newest: datetime | None,
    now: datetime,
    selection: Selection,
    audits_of_run: Sequence[AuditRow],
    most_rows: int | None,
) -> Aggregates:
    span = time_windows.bounds(window, run, first, newest, now)
    step = time_windows.series_step(span.end - span.start) if span else time_windows.MINUTE
    rows: list[RollupRow] = []
    hashtags: list[NamedCount] = []
    points: list[StepCount] = []
    languages: list[LanguageFigures] = []
    sampled: _Sampled | None = None
    days: list[DayCount] = []
    audits: list[AuditRow] = []
    if span:
        from_rollups = not reads_tweets(selection)
        statements = _ROLLUPS if from_rollups else ROWS
        one_rule = selection.rules[0] if from_rollups and selection.rules else ""
        # Hours and days make long windows cheap; the first one starts before the first tweet.
        granularity = time_windows.coarsest_exact(window)
        limits = {
            "run": run,
            "granularity": granularity,
            "start": time_windows.floor(span.start, granularity) if from_rollups else span.start,
            "end": span.end,
            "most": _TOP_HASHTAGS,
            "rules": list(selection.rules) or None,
            "rule": one_rule,
            "labels": list(selection.labels) or None,
            "languages": list(selection.languages) or None,
        }
        rows = _totals(cursor, statements.totals, limits, span, in_pieces=from_rollups)
        in_rollups = from_rollups and not selection
        if most_rows is not None and from_rollups and selection:
            tweets = sum(row.tweets for row in rows if row.rule == one_rule)
            sampled = _sampled(cursor, limits, span.start, tweets, most_rows)
        if sampled is None or not one_rule:
            cursor.execute(
                ROWS.hashtags if one_rule else statements.hashtags,
                {**limits, "start": span.start} if one_rule else limits,
            )
            hashtags = [NamedCount(*row) for row in cursor]
        else:
            hashtags = sampled.hashtags
        if sampled is None:
            cursor.execute(
                _UNKNOWN_LANGUAGES if in_rollups else UNKNOWN_LANGUAGES_OF_ROWS,
                limits if in_rollups else {**limits, "start": span.start},
            )
            languages = [LanguageFigures(language=name, tweets=count) for name, count in cursor]
        else:
            languages = sampled.unknown_languages
        finer_granularity = time_windows.coarsest_exact(window, step)
        finer = {
            "granularity": finer_granularity,
            "step": step,
            "origin": time_windows.ORIGIN,
        }
        cursor.execute(statements.series, {**limits, **finer})
        points = [StepCount(*row) for row in cursor]
        audits = [each for each in audits_of_run if span.start <= each.posted_at < span.end]
        if audits:
            audited = ["", *rules_with_audits(audits)]
            cursor.execute(statements.days, {**limits, "audited": audited})
            days = [DayCount(*row) for row in cursor]
        if one_rule:
            rows += [row._replace(rule="") for row in rows]
            days += [count._replace(rule="") for count in days if count.rule == one_rule]
        elif selection.rules:
            rows = [row for row in rows if row.rule in ("", *selection.rules)]
    series = sum_rollups.series_of(time_windows.step_starts(span, step) if span else [], points)
    tweets, mean_confidence = sum_rollups.total_of(rows)
    rules = sum_rollups.rules_of(rows)
    return Aggregates(
        run=run,
        window=window.name,
        start=span.start if span else None,
        end=span.end if span else None,
        as_of=now,
        tweets=tweets,
        mean_confidence=mean_confidence,
        labels=sum_rollups.labels_of(rows),
        hashtags=sum_rollups.grouped(hashtags),
        rules=rules_audited(rules, audits, days),
        models=sum_rollups.models_of(rows),
        series_step_s=int(step.total_seconds()),
        series=series,
        selection=selection,
        unknown_language_tweets=sum(each.tweets for each in languages),
        unknown_languages=languages[:_TOP_LANGUAGES],
        sampled_tweets=sampled.tweets if sampled else None,
        audited_spans=audited_spans(
            series,
            step,
            audits,
            {} if len(selection.rules) == 1 else {rule.name: rule.tweets for rule in rules},
        ),
        audit=all_audited(sum_rollups.by_label(rows), rules, audits, days),
    )


def _totals(
    cursor: Any, statement: str, limits: dict[str, Any], span: Bounds, *, in_pieces: bool
) -> list[RollupRow]:
    """Return the sums of a window: rows of all rules are many, so days and hours where they fit."""
    if not in_pieces or limits["granularity"] == "day":
        cursor.execute(statement, limits)
        return [RollupRow(*row) for row in cursor]
    rows: list[RollupRow] = []
    for piece in sampled_tweets.pieces_of(span.start, span.end):
        cursor.execute(statement, {**limits, **piece._asdict()})
        rows += [RollupRow(*row) for row in cursor]
    return rows


class _Sampled(NamedTuple):
    """What a sample tells of all the tweets that it is of; `tweets` is None where all are in it."""

    tweets: int | None
    hashtags: list[NamedCount]
    unknown_languages: list[LanguageFigures]


def _sampled(
    cursor: Any, limits: dict[str, Any], start: datetime, tweets: int, most_rows: int
) -> _Sampled | None:
    """Return what a sample of so many tweets tells; None where none was found."""
    levels = sampled_tweets.levels_for(tweets, most_rows)
    is_whole = len(levels) == len(sampled_tweets.EVERY_LEVEL)
    cursor.execute(sampled_tweets.WIDE_BITMAPS)
    place = {**limits, "start": start, "levels": levels}
    if limits["rule"] and not sampled_tweets.is_found_by_rule(
        cursor, limits["run"], limits["rule"], start, limits["end"], levels
    ):
        place["rules"] = None
    cursor.execute(SAMPLE, place)
    rows = cursor.fetchall()
    if not rows:
        return None
    each = 1.0 if is_whole else tweets / len(rows)
    tags = Counter((hashtag, label) for label, hashtags, _ in rows for hashtag in hashtags)
    of_tags = Counter(hashtag for _, hashtags, _ in rows for hashtag in hashtags)
    top = sorted(of_tags, key=lambda hashtag: (-of_tags[hashtag], hashtag))[:_TOP_HASHTAGS]
    languages = Counter(language for _, _, language in rows if language is not None)
    return _Sampled(
        None if is_whole else len(rows),
        [
            NamedCount(hashtag, label, round(count * each))
            for (hashtag, label), count in tags.items()
            if hashtag in top
        ],
        [
            LanguageFigures(language=language, tweets=round(count * each))
            for language, count in sorted(languages.items(), key=lambda one: (-one[1], one[0]))
        ],
    )


def _is_selected(audit: AuditRow, selection: Selection) -> bool:
    return (
        (not selection.rules or not set(selection.rules).isdisjoint(audit.rules))
        and (not selection.labels or audit.model in selection.labels)
        and (not selection.languages or audit.language in selection.languages)
    )
