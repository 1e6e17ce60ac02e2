"""One run: start a stack, publish, hurt it, let it settle, judge."""

import contextlib
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from deploy.demo.pipeline_wait import NotProcessed, Pipeline, await_processed
from deploy.embedded import stack
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import save_state, settle_state
from schemas.private_files import make_private_folder
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from tests.conditions import wait_until
from tests.torture.faults import Faults, Skipped
from tests.torture.observer import GROUPS, Observer
from tests.torture.plan import faults
from tests.torture.publishing import Publishing
from tests.torture.small_disk import Disk, small_disk
from tests.torture.topic_faults import TopicFaults
from tests.torture.tweets import Published, history
from tests.torture.verdict import Verdict, judge, verdict

_SETTLED_WITHIN_S: Final = 600.0
_STANDS_STILL_AFTER_S: Final = 90.0
_LONGER_THAN_ITS_LIMIT_S: Final = 60.0

_ENDED_BY_SIGTERM: Final = (
    "score-stop",
    "sink-stop",
    "second-score-leaves",
    "second-score-clock-ahead",
    "second-score-clock-behind",
    "second-sink-clock-ahead",
    "second-sink-clock-behind",
)

Say = Callable[[str], None]


class Summary(Struct, frozen=True):
    """What a run did and found. `exits` counts the ends of processes that the plan did not ask for.

    Recoveries are seconds, by the kind of the fault; a chain of faults counts for its last.
    """

    seed: int
    minutes: float
    ok: bool
    tweets: int
    messages: int
    faults: dict[str, int]
    skipped: dict[str, str]
    slowest_recovery_s: dict[str, float]
    exits: dict[str, int]
    settled_after_s: float
    verdicts: dict[str, Verdict]


def torture(
    *,
    seed: int,
    minutes: float,
    tweets: int,
    logs: Path | None,
    say: Say,
    first_faults: int | None = None,
) -> Summary:
    """Run it; the stack is removed afterwards, its logs are copied to `logs` before.

    With `first_faults` so many of the plan's are made, however long they take, and no others.
    """
    with small_disk() as disk, _stack_on(disk, logs) as settings:
        return _Run(seed, minutes, tweets, settings, disk, say, first_faults).summary()


@contextlib.contextmanager
def _stack_on(disk: Disk, logs: Path | None) -> Iterator[Settings]:
    """Run a stack whose servers all keep their data on the disk."""
    home = disk.folder / "home"
    layout = Layout.of(home)
    make_private_folder(layout.home)
    state = settle_state(None)
    if disk.is_small:
        # Root's PostgreSQL lies outside home: here on the same disk.
        postgres = disk.folder / "postgres"
        postgres.mkdir(mode=0o755)
        state = msgspec.structs.replace(state, postgres_folder=str(postgres))
    save_state(layout, state)
    try:
        yield stack.up(home, env_file=None)
    finally:
        if logs is not None:
            logs.mkdir(parents=True, exist_ok=True)
            for log in layout.logs.glob("*.log*"):
                (logs / log.name).write_bytes(log.read_bytes())
        stack.remove(home)


class _Run:
    def __init__(
        self,
        seed: int,
        minutes: float,
        tweets: int,
        settings: Settings,
        disk: Disk,
        say: Say,
        first_faults: int | None,
    ) -> None:
        self._seed, self._minutes, self._tweets = seed, minutes, tweets
        self._first_faults = first_faults
        self._settings, self._say = settings, say
        self._messages: list[Published] = history(seed, tweets, datetime.now(UTC))
        self._publishing = Publishing(settings, self._messages, minutes * 60, time.monotonic)
        self._observer = Observer(settings, time.monotonic, self._publishing.done)
        self._faults = Faults(
            settings.home,
            settings,
            disk,
            time.monotonic,
            TopicFaults(settings, self._publishing.paused),
        )
        self._done: Counter[str] = Counter()
        self._skipped: dict[str, str] = {}
        self._recoveries: dict[str, list[float]] = defaultdict(list)
        self._too_slow: list[str] = []

    def summary(self) -> Summary:
        refused = self._publishing.refuses_the_largest()
        stop = threading.Event()
        publisher = threading.Thread(target=self._publishing.run, args=(stop,), daemon=True)
        observer = threading.Thread(target=self._observer.run, args=(stop,), daemon=True)
        observer.start()
        publisher.start()
        wait_until(lambda: len(self._observer.latest) == len(GROUPS), 30, "both groups to be seen")
        try:
            self._hurt()
            publisher.join(timeout=120)
            stood_still, settled_after_s = self._settle()
        finally:
            stop.set()
            publisher.join(timeout=10)
            observer.join(timeout=30)
        verdicts = self._judge()
        verdicts["what Kafka does not take is refused"] = verdict(1, [] if refused else ["taken"])
        verdicts["the stream moves again in time"] = verdict(self._done.total(), self._too_slow)
        verdicts["SIGTERM ends a worker within 10 s"] = verdict(
            sum(self._done[kind] for kind in _ENDED_BY_SIGTERM),
            self._faults.slow_ends,
        )
        verdicts["a new partition is read within a minute"] = verdict(
            self._done["partitions-raised"], self._faults.of_topics.unread
        )
        verdicts["all lag is worked off"] = verdict(1, stood_still)
        verdicts["no message failed"] = verdict(len(self._messages), self._publishing.faults)
        return Summary(
            seed=self._seed,
            minutes=self._minutes,
            ok=all(found.kept for found in verdicts.values()),
            tweets=self._tweets,
            messages=len(self._messages),
            faults=dict(sorted(self._done.items())),
            skipped=self._skipped,
            slowest_recovery_s={k: round(max(v), 1) for k, v in sorted(self._recoveries.items())},
            exits=_exits(Layout.of(self._settings.home).log_of("supervisord")),
            settled_after_s=round(settled_after_s, 1),
            verdicts=verdicts,
        )

    def _hurt(self) -> None:
        ends_s = time.monotonic() + self._minutes * 60
        limit_s = 0.0
        for fault in islice(faults(self._seed), self._first_faults):
            if self._first_faults is None and time.monotonic() > ends_s:
                return
            try:
                self._faults.do(fault)
            except Skipped as reason:
                self._skipped[fault.kind] = str(reason)
                continue
            self._done[fault.kind] += 1
            limit_s = max(limit_s, fault.limit_s)
            if fault.at_once:
                self._say(f"{fault.kind}, and at once")
                continue
            over_s = time.monotonic()
            waited_s = self._observer.await_movement(over_s, limit_s + _LONGER_THAN_ITS_LIMIT_S)
            if waited_s is None or waited_s > limit_s:
                said = "not at all" if waited_s is None else f"after {waited_s:.1f} s"
                self._too_slow.append(f"{fault.kind}: {said} (limit {limit_s:.0f} s)")
            self._recoveries[fault.kind].append(
                limit_s + _LONGER_THAN_ITS_LIMIT_S if waited_s is None else waited_s
            )
            self._say(f"{fault.kind}: {'never' if waited_s is None else f'{waited_s:.1f} s'}")
            limit_s = 0.0
            threading.Event().wait(fault.pause_s)

    def _settle(self) -> tuple[list[str], float]:
        began_s = time.monotonic()
        try:
            await_processed(
                Pipeline(self._settings.cluster).remaining,
                stall_after_s=_STANDS_STILL_AFTER_S,
                limit_s=_SETTLED_WITHIN_S,
            )
        except NotProcessed as fault:
            return [str(fault)], time.monotonic() - began_s
        return [], time.monotonic() - began_s

    def _judge(self) -> dict[str, Verdict]:
        connection = connect_postgres(self._settings.postgres_connection, "torture")
        try:
            return judge(
                self._settings,
                connection,
                self._messages,
                self._publishing.positions,
                self._faults.of_topics.aborted,
            )
        finally:
            connection.close()


def _exits(log: Path) -> dict[str, int]:
    """Return how often each process ended by itself, as its supervisor noted it."""
    ends = re.findall(
        r"exited: (\w+) \((?!terminated by SIGKILL)[^)]*(?:; not expected)\)",
        log.read_text(errors="replace"),
    )
    return dict(sorted(Counter(ends).items()))
