"""The full demo from start to end: usual tweets, a change, alarm, training, gate, swap, figures."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from deploy.demo.full.changing_stream import (
    AS_USUAL,
    CHANGED,
    RUN,
    TWEETS_AN_HOUR,
    ChangingStream,
    publish,
)
from deploy.demo.full.given_labels import labels_of
from deploy.demo.full.own_installation import own_installation
from deploy.demo.full.result import FullDemoResult
from deploy.demo.full.stored_scores import (
    accuracy_of,
    count_everything,
    longest_wait_s,
    read_scores,
)
from deploy.demo.vocabulary import Topic
from deploy.embedded.layout import Layout
from deploy.embedded.start_programs import Say
from model_server.bundle import default_bundle, open_bundle
from retrain.drift.alarms.sentences import sentence
from retrain.drift.alarms.stored_alarms import AlarmSelection, StoredAlarm, find_alarms
from retrain.jobs.job_store import LIVE_STATES, Job, JobState, jobs, stage_outputs
from retrain.labels.write_labels import write_labels
from retrain.promotion.promotion_gate import GateVerdict
from retrain.promotion.promotions import promotions
from retrain.training_libraries import prepare_libraries
from schemas.alarm_events import AlarmKind
from schemas.failures import Failure
from schemas.settings import Settings
from schemas.topics import RAW
from schemas.transport.postgres import Connection, connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

_USUAL_HOURS: Final = 30
_CHANGED_HOURS: Final = 24
_AFTER_HOURS: Final = 8
_FLOW_TWEETS: Final = 2
_POLL_S: Final = 0.25
_LIMIT_S: Final = 3_600.0
"""On two quiet cores the longest step, the training, takes two minutes."""
_MOST_ALARMS: Final = 200
_DECIDE_EVERY_S: Final = "2"


def run_full_demo(home: Path, *, keep_up: bool, console: Console) -> FullDemoResult:
    """Let a stream change, and let another model serve it by itself; count what came of it.

    Nobody does anything but label: the watch, `murmur retrain watch` and scoring do the rest, each
    a process of its own. Raises `Failure` where training's libraries are missing, before anything
    is started, and where a step does not come.
    """
    prepare_libraries()

    def say(line: str) -> None:
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

    began_s = time.monotonic()
    with (
        own_installation(home, keep_up=keep_up, say=say) as settings,
        closing(connect_postgres(settings.postgres_connection, "demo")) as connection,
        _retraining(settings) as alive,
    ):
        result = _Story(settings, connection, say, alive).told()
    return msgspec.structs.replace(
        result,
        total_s=round(time.monotonic() - began_s, 1),
        home=str(settings.home) if keep_up else None,
    )


@contextmanager
def _retraining(settings: Settings) -> Iterator[Callable[[], bool]]:
    """Have `murmur retrain watch` decide until the block ends; yields whether it still runs."""
    murmur = Path(sys.executable).with_name("murmur")
    command = ["retrain", "watch", "--every-s", _DECIDE_EVERY_S, "--probe-port", "0"]
    with Layout.of(settings.home).log_of("retrain-watch").open("ab") as log:
        process = subprocess.Popen([sys.executable, str(murmur), *command], stdout=log, stderr=log)
        try:
            yield lambda: process.poll() is None
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class _Story:
    """One telling: each act waits for what the one before it set going."""

    def __init__(
        self, settings: Settings, connection: Connection, say: Say, alive: Callable[[], bool]
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._say = say
        self._alive = alive
        self._topic = settings.names.topic(RAW)
        self._publisher = ConfirmingPublisher(settings.kafka_connection, "murmur-demo")
        self._stream = ChangingStream()
        self._stage: str | None = None

    def told(self) -> FullDemoResult:
        """Tell it, and return what was seen; its time and home are not known here."""
        first = open_bundle(default_bundle()).identity.sha256
        self._say(f"{_USUAL_HOURS} hours of tweets as usual; the watch learns the first day")
        self._publish(_USUAL_HOURS * TWEETS_AN_HOUR, AS_USUAL)
        self._await(self._all_stored, "the usual tweets are stored")
        changed_at = max(
            tweet.posted_at for tweet in self._publish(_CHANGED_HOURS * TWEETS_AN_HOUR, CHANGED)
        ) - timedelta(hours=_CHANGED_HOURS)
        self._say("half of the people begin to speak in slang and irony")
        alarm, alarm_s = self._await(self._alarm, "an alarm of the watch")
        self._say(sentence(alarm))
        self._await(self._all_stored, "the changed tweets are stored")
        waits, _ = self._await(
            lambda: self._decision("NOT fires AND sentence LIKE 'not yet%%'"),
            "a decision that asks for labels",
        )
        self._say(waits)
        given = self._label()
        fired, _ = self._await(lambda: self._decision("fires"), "a decision to train")
        self._say(f"{given:,} labels of the sample's own are there: {fired}")
        job, job_s = self._await(self._job_over, "the end of the training", flows=True)
        if job.state is not JobState.DONE:
            raise Failure(f"job {job.number} is {job.state}: {job.detail}; {self._logs()}")
        output = stage_outputs(self._connection, job.number)
        verdict = msgspec.convert(output["evaluate"].output["verdict"], GateVerdict)
        promoted = str(output["register"].output["sha256"])
        self._say(f"job {job.number}: {job.detail}")
        _, swap_s = self._await(lambda: self._scores_by(promoted), "the swap", flows=True)
        wait_s = self._flow_around_the_swap(promoted)
        self._say("the promoted model serves; some more tweets")
        self._publish(_AFTER_HOURS * TWEETS_AN_HOUR, CHANGED)
        self._await(self._all_stored, "all tweets are stored")
        self._say("counting in PostgreSQL")
        written = self._stream.written
        checks = count_everything(
            self._connection,
            written,
            labels=given,
            promoted={each.event.champion.sha256 for each in promotions(self._connection)},
        )
        scores = read_scores(self._connection)
        after = [score for score in scores if score.root_id in written.after_change]
        usual = [score for score in scores if score.root_id not in written.after_change]
        return FullDemoResult(
            ok=all(check.ok for check in checks),
            run=RUN,
            checks=checks,
            alarm=sentence(alarm),
            hours_after_change=round((alarm.window_end - changed_at) / timedelta(hours=1), 1),
            decisions=[waits, fired],
            audits=verdict.audits,
            rules=verdict.rules,
            longest_wait_s=wait_s,
            usual=accuracy_of([one for one in usual if one.model == first], written.moods),
            changed_before=accuracy_of([one for one in after if one.model == first], written.moods),
            changed_after=accuracy_of(
                [one for one in after if one.model == promoted], written.moods
            ),
            alarm_s=alarm_s,
            job_s=job_s,
            swap_s=swap_s,
            total_s=0.0,
            home=None,
        )

    def _publish(self, count: int, topics: Sequence[Topic]) -> list[Any]:
        tweets = self._stream.next(count, topics, datetime.now(UTC))
        publish(self._publisher, self._topic, tweets)
        return tweets

    def _await(
        self, condition: Callable[[], Any], what: str, *, flows: bool = False
    ) -> tuple[Any, float]:
        """Return what a condition gives once it gives something, and the seconds until then."""
        began_s = time.monotonic()
        while not (found := condition()):
            if not self._alive():
                raise Failure(f"`murmur retrain watch` has ended; {self._logs()}")
            if time.monotonic() - began_s > _LIMIT_S:
                raise Failure(f"{what}: this did not come within {_LIMIT_S:.0f} s; {self._logs()}")
            if flows:
                self._publish(_FLOW_TWEETS, CHANGED)
            time.sleep(_POLL_S)
        return found, round(time.monotonic() - began_s, 1)

    def _logs(self) -> str:
        return f"see {Layout.of(self._settings.home).logs}"

    def _flow_around_the_swap(self, promoted: str) -> float | None:
        until_s = time.monotonic() + 6
        while time.monotonic() < until_s:
            self._publish(_FLOW_TWEETS, CHANGED)
            time.sleep(_POLL_S)
        self._await(self._all_stored, "the tweets around the swap are stored")
        return longest_wait_s(read_scores(self._connection), promoted)

    def _all_stored(self) -> bool:
        found = self._one("SELECT count(*) FROM tweets WHERE run = %(run)s")
        return int(found) == len(self._stream.written.moods)

    def _alarm(self) -> StoredAlarm | None:
        selection = AlarmSelection(run=RUN, kind=AlarmKind.MODEL, open=True)
        with self._connection, self._connection.cursor() as cursor:
            _, found = find_alarms(cursor, selection, _MOST_ALARMS)
        return min(found, key=lambda each: (each.window_end, each.signal), default=None)

    def _decision(self, which: str) -> str | None:
        found = self._one(
            f"SELECT min(sentence) FROM retrain_decisions WHERE {which}"  # noqa: S608  constants
        )
        return None if found is None else str(found)

    def _label(self) -> int:
        written = self._stream.written
        labels = labels_of(written.after_change, written.moods, datetime.now(UTC))
        with self._connection, self._connection.cursor() as cursor:
            return len(write_labels(cursor, labels))

    def _job_over(self) -> Job | None:
        found = jobs(self._connection, most=1)
        if not found:
            return None
        if found[0].stage is not None and found[0].stage != self._stage:
            self._stage = found[0].stage
            self._say(f"job {found[0].number}: {self._stage}")
        return None if found[0].state in LIVE_STATES else found[0]

    def _scores_by(self, sha256: str) -> bool:
        return bool(
            self._one(
                "SELECT EXISTS (SELECT FROM scores JOIN models USING (model_id)"
                " WHERE run = %(run)s AND sha256 = %(sha256)s)",
                sha256=sha256,
            )
        )

    def _one(self, statement: str, **values: str) -> Any:
        with self._connection, self._connection.cursor() as cursor:
            cursor.execute(statement, {"run": RUN, **values})
            return cursor.fetchall()[0][0]
