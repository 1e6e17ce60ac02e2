"""What is done to a running installation, the alerts that it raises, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.alerts_live.installation import UNSURE, Installation

_DRIFT: Final = (
    "INSERT INTO alarms (alarm_id, run, rule, signal, subject, kind, detector, model_sha256, since,"
    " window_start, window_end, value, reference, tweets, false_alarms_per_year)"
    " VALUES (md5('{kind}'), 'live', 'cats', 'confidence', '', '{kind}', 'by hand', '', now(),"
    " now(), now(), 0.6, 0.9, 100, 1)"
)
_DRIFT_ENDS: Final = (
    "UPDATE alarms SET ended_at = now(), ended_window_start = now(),"
    " ended_window_end = now(), ended_value = 0.9 WHERE ended_at IS NULL"
)
_LONG_AGO: Final = (
    "UPDATE models SET first_seen_at = now() - interval '200 days'",
    (
        "INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen,"
        " labelled_at) SELECT 'live', min(root_id), 0, 'by hand', 'audit', 'positive', false,"
        " now() - interval '100 days' FROM tweets WHERE run = 'live'"
    ),
    (
        "INSERT INTO stream_gaps (from_at, to_at, reason)"
        " VALUES (now() - interval '2 days', now() - interval '1 day', 'by hand')"
    ),
    (
        "INSERT INTO retrain_jobs (run, state, spec, ended_at)"
        " VALUES ('live', 'failed', '{}', now())"
    ),
)
_LONG_AGO_ENDS: Final = (
    "UPDATE models SET first_seen_at = now()",
    "DELETE FROM labels WHERE labeller = 'by hand'",
    "UPDATE stream_gaps SET status = 'refilled' WHERE reason = 'by hand'",
    "INSERT INTO retrain_jobs (run, state, spec, ended_at) VALUES ('live', 'done', '{}', now())",
)
_READ: Final = "UPDATE posts_read SET posts = {} WHERE day = (SELECT max(day) FROM posts_read)"


@dataclass(frozen=True)
class Case:
    """A fault, the alerts that it raises within `promise_s`, and how it ends.

    The promise is that of the rules as they are tried here, with their times divided.
    `also` are other alerts that the same fault rightly raises.
    """

    what: str
    alerts: tuple[str, ...]
    promise_s: float
    begin: Callable[[Installation], None]
    end: Callable[[Installation], None]
    also: tuple[str, ...] = ()


def _old_and_failed(installation: Installation) -> None:
    for statement in (*_LONG_AGO, _DRIFT.format(kind="world"), _READ.format(1_850_000)):
        installation.sql(statement)
    installation.promote_what_is_not_there()


def _new_and_well(installation: Installation) -> None:
    for statement in (*_LONG_AGO_ENDS, _DRIFT_ENDS, _READ.format(0)):
        installation.sql(statement)
    installation.take_back_the_promotion()


def _a_new_month(installation: Installation) -> None:
    installation.sql(_READ.format(0))
    # Else it waits for the end of the month.
    installation.restart("stream")


CASES: Final = (
    Case(
        "people post six times as much, and worse",
        ("MurmurRuleSurge",),
        15,
        lambda i: i.post(12, bad=True),
        lambda i: i.post(2),
        also=("MurmurRuleNegative",),
    ),
    Case(
        "people write what the model is unsure of",
        ("MurmurConfidenceDrop",),
        120,
        lambda i: i.post(12, text=UNSURE),
        lambda i: i.post(2),
        also=("MurmurRuleSurge", "MurmurRuleNegative"),
    ),
    Case(
        "scoring killed",
        ("MurmurProcessDown",),
        60,
        lambda i: i.kill("score"),
        lambda i: i.start("score"),
    ),
    Case(
        "the sink killed four times",
        ("MurmurRestartsOften",),
        60,
        # Each lives long enough to be scraped.
        lambda i: i.restart("sink", times=4, lives_s=5.0),
        lambda _: None,
    ),
    Case(
        "PostgreSQL stopped",
        ("MurmurPostgresAway",),
        60,
        lambda i: i.stop_server("postgres"),
        lambda i: i.start_server("postgres"),
    ),
    Case(
        "Kafka stopped",
        ("MurmurKafkaAway",),
        60,
        lambda i: i.stop_server("kafka"),
        lambda i: i.start_server("kafka"),
    ),
    Case(
        "Redis stopped",
        ("MurmurRedisAway",),
        60,
        lambda i: i.stop_server("valkey"),
        lambda i: i.start_server("valkey"),
    ),
    Case(
        "somebody holds a lock on the tweets",
        ("MurmurStalled",),
        120,
        lambda i: i.lock_tweets(),
        lambda i: i.unlock_tweets(),
    ),
    Case(
        "tweets deleted before they were read",
        ("MurmurExpiredUnread",),
        60,
        lambda i: i.expire_unread(),
        lambda _: None,
    ),
    Case(
        "10,000 poison messages",
        ("MurmurHeld",),
        60,
        lambda i: i.poison(10_000),
        lambda i: i.read_poison(),
    ),
    Case(
        "an old model, old audits, an old gap, a failed job, a model that nobody can fetch",
        (
            "MurmurModelOld",
            "MurmurNotAudited",
            "MurmurGapUnfilled",
            "MurmurRetrainJobFailed",
            "MurmurWorldAlarm",
            "MurmurSpendNearLimit",
            "MurmurPromotedNotServed",
        ),
        60,
        _old_and_failed,
        _new_and_well,
    ),
    Case(
        "an alarm of the watch about the model",
        ("MurmurModelDrift",),
        45,
        lambda i: i.sql(_DRIFT.format(kind="model")),
        lambda i: i.sql(_DRIFT_ENDS),
    ),
    Case(
        "the month's posts are used up",
        ("MurmurSpendPaused",),
        30,
        lambda i: i.sql(_READ.format(2_000_000)),
        _a_new_month,
        also=("MurmurSpendNearLimit",),
    ),
    Case(
        "the rules at X are gone",
        ("MurmurRulesMissing",),
        120,
        lambda i: i.drop_rules(),
        lambda i: i.add_rules(),
        also=("MurmurRuleSilent",),
    ),
    Case(
        "X refuses connections",
        ("MurmurStreamDisconnected",),
        45,
        lambda i: i.refuse(True),
        lambda i: i.refuse(False),
        also=("MurmurRuleSilent",),
    ),
    Case(
        "the disk is nearly full",
        ("MurmurDiskFull",),
        45,
        lambda i: i.fill_disk(),
        lambda i: i.free_disk(),
    ),
)

NOT_RAISED: Final = {
    "MurmurDeadLetters": "no case of its own: heard once a hold, which inhibits it, is over",
    "MurmurTweetsLate": "no case of its own: heard after a server was away for minutes",
    "MurmurLagGrows": "needs a quarter of an hour of more tweets than a machine can score",
    "MurmurShadowDisagrees": "needs a challenger that differs; by promtool, and the counter by "
    "tests/integration/test_shadow.py",
    "MurmurPromotionTakenBack": "needs a model that does harm; by promtool, and the counter by "
    "tests/integration/test_rollback.py",
}
"""Why these are tested by promtool alone."""
