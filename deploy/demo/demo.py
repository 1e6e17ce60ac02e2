"""The demo from start to end: stack, archive, replay, wait, count, stop."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import msgspec
from rich.console import Console

from deploy.demo.archive import sample_archive, write_archive
from deploy.demo.manifest import Manifest
from deploy.demo.pipeline_wait import NotProcessed, Pipeline, await_processed
from deploy.demo.progress import Show, storing_bars
from deploy.demo.result import DemoResult
from deploy.demo.verification import check, verify
from deploy.demo.watch_demo import watch_demo
from deploy.embedded import stack
from deploy.embedded.layout import Layout
from deploy.embedded.stack_state import load_state
from deploy.embedded.start_programs import Say
from deploy.embedded.supervision import Supervisor
from producers.archives.inputs import Input
from producers.cli import DEFAULT_MAX_LAG
from producers.formats.archive_format import FormatOptions
from producers.replay.report import ReplayOutcome
from producers.replay.run_replay import ReplayRequest, run_replay
from schemas.failures import Failure
from schemas.known_runs import UnknownRun, run_names
from schemas.process.process_list import SERVE
from schemas.process.stop_signals import StopSignals
from schemas.settings import Settings
from schemas.topics import SCORED
from schemas.transport.cache import connect_redis
from schemas.transport.postgres import Connection, connect_postgres
from stream_processors.aggregates.time_windows import ALL, parse_window
from stream_processors.circuit_breaker.release_hold import read_hold
from stream_processors.queries.totals import Totals, read_totals
from stream_processors.retention.run_deletion import delete_run, forget_in_redis

DEFAULT_RUN: Final = "demo"
_STALL_AFTER_S: Final = 60.0
_LIMIT_S: Final = 1_800.0
_REDIS_WITHIN_S: Final = 15.0


def run_demo(home: Path, *, run: str, lines: int, keep_up: bool, console: Console) -> DemoResult:
    """Send a sample archive through the stack in `home` and count what came out.

    Brings the stack up and leaves it as it was, up or down, unless it is to be kept up. A run
    called `demo` is replaced; one of any other name must not exist yet. Raises `Failure`.
    """

    def say(line: str) -> None:
        console.print(line, style="dim", markup=False, highlight=False, soft_wrap=True)

    began_s = time.monotonic()
    with (
        _stack_as_found(home, keep_up=keep_up, say=say) as (settings, still_up),
        closing(connect_postgres(settings.postgres_connection, "demo")) as connection,
    ):
        _refuse_while_held(settings)
        pipeline = Pipeline(settings.cluster)
        _make_room(settings, connection, run, home, pipeline)
        path, manifest = _write_archive(home, lines)
        say(f"replaying {path}")
        replay_began_s = time.monotonic()
        _replay(settings, path, run, console)
        replayed_s = time.monotonic()
        with storing_bars(console, connection, run, manifest.rows) as show:
            _await_processed(pipeline, home, show)
        stored_s = time.monotonic()
        say("counting in PostgreSQL")
        checks = verify(connection, run, manifest)
        totals = _totals(settings, run, manifest.rows)
        checks.append(check("totals in Redis", manifest.rows, totals.aggregates.tweets))
        say("holding the last day against those before it")
        alarm = watch_demo(
            connection, run, settings.watch_limits, scored_topic=settings.names.topic(SCORED)
        )
    processing_s = stored_s - replay_began_s
    return DemoResult(
        ok=all(found.ok for found in checks),
        run=run,
        archive=str(path),
        manifest=manifest,
        checks=checks,
        totals=totals,
        alarm=alarm,
        replay_s=round(replayed_s - replay_began_s, 3),
        processing_s=round(processing_s, 3),
        total_s=round(time.monotonic() - began_s, 3),
        lines_per_s=round(manifest.lines / processing_s, 1),
        still_up=still_up,
        page=_page(settings, home) if still_up else None,
    )


@contextmanager
def _stack_as_found(home: Path, *, keep_up: bool, say: Say) -> Iterator[tuple[Settings, bool]]:
    state = load_state(Layout.of(home))
    stays_up = keep_up or (state is not None and Supervisor(state).answers())
    try:
        yield stack.up(home, with_page=stays_up, say=say), stays_up
    finally:
        if not stays_up:
            stack.down(home, say=say)


def _page(settings: Settings, home: Path) -> str | None:
    state = load_state(Layout.of(home))
    return state.page if state is not None and SERVE in settings.kept_up else None


def _refuse_while_held(settings: Settings) -> None:
    hold, _ = read_hold(settings.cluster)
    if hold is not None:
        raise Failure(
            f"scoring is {hold.sentence()}: run `murmur up`, then `murmur dead-letters release`, "
            "then the demo again"
        )


def _make_room(
    settings: Settings, connection: Connection, run: str, home: Path, pipeline: Pipeline
) -> None:
    """Delete what an earlier demo has left, once nothing of it is under way any more."""
    if run != DEFAULT_RUN and run in run_names(connection):
        raise Failure(
            f"the run {run!r} already exists: delete it (`murmur runs delete {run}`), or choose "
            "another --run"
        )
    _await_processed(pipeline, home)
    try:
        delete_run(connection, run)
    except UnknownRun:
        return
    forget_in_redis(settings, run)


def _write_archive(home: Path, lines: int) -> tuple[Path, Manifest]:
    folder = home / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sample.jsonl.gz"
    archive = sample_archive(lines=lines, file=path.name)
    write_archive(archive, path)
    document = msgspec.json.format(msgspec.json.encode(archive.manifest), indent=2)
    (folder / "manifest.json").write_bytes(document + b"\n")
    return path, archive.manifest


def _replay(settings: Settings, path: Path, run: str, console: Console) -> None:
    request = ReplayRequest(
        inputs=(Input(path, named=True),),
        run=run,
        format_name=None,
        options=FormatOptions(),
        rate=None,
        limit=None,
        max_lag=DEFAULT_MAX_LAG,
        restart=False,
        probe_port=None,
    )
    report = run_replay(settings, request, StopSignals(), console)
    if report.outcome is ReplayOutcome.INTERRUPTED:
        raise click.Abort
    if report.damaged:
        raise Failure(f"{path} could not be read to its end: is the disk full?")


def _await_processed(pipeline: Pipeline, home: Path, show: Show = lambda _: None) -> None:
    try:
        await_processed(
            pipeline.remaining, stall_after_s=_STALL_AFTER_S, limit_s=_LIMIT_S, show=show
        )
    except NotProcessed as error:
        raise Failure(f"{error}; see {Layout.of(home).logs}") from error


def _totals(settings: Settings, run: str, rows: int) -> Totals:
    """Return the totals once Redis has them all, or as they are after a while."""
    window = parse_window(ALL)
    deadline_s = time.monotonic() + _REDIS_WITHIN_S
    while True:
        totals = read_totals(
            run,
            window,
            datetime.now(UTC),
            cache=settings.aggregates_cache,
            connect_redis=lambda: connect_redis(settings.redis_connection),
            lend_postgres=lambda: closing(connect_postgres(settings.postgres_connection, "totals")),
        )
        complete = totals.source == "redis" and totals.aggregates.tweets == rows
        if complete or time.monotonic() > deadline_s:
            return totals
        time.sleep(0.25)
