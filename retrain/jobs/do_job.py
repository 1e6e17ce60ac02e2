"""Taking up a job on this machine: its folder, its commands, the champion, and what comes of it."""

import os
import socket
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

from model_server.bundle import Bundle, default_bundle, open_bundle
from model_server.bundle_store import BundleStore
from retrain.jobs.job_folders import forget_texts_of_ended
from retrain.jobs.job_spec import spec_of
from retrain.jobs.job_store import LeaseLost, end_given_up, live_job, take_up
from retrain.jobs.run_job import LEASE, JobResult, work_on
from retrain.jobs.stages import Desk
from retrain.promotion.bundle_shelf import BundleShelf
from retrain.promotion.promote import promote
from retrain.promotion.promotion_gate import GateVerdict
from retrain.promotion.promotions import promotions, tell_if_waiting
from retrain.registry.bundles import log_bundle
from retrain.rollback.guard_promotion import held_until
from schemas.settings import Settings
from schemas.topics import MODELS_PROMOTED
from schemas.transport.postgres import Connection, connect_postgres, database_now

CHALLENGER = "challenger"
CHAMPION = "champion"


def do_waiting_job(
    settings: Settings,
    *,
    run_command: Callable[[list[str]], None],
    told: Callable[[str, bool], None],
) -> JobResult | None:
    """Take up the job that waits, or whose holder is gone, and work on it; None: there is none.

    Raises `LeaseLost` where another process took it over, and `BundleUnavailable` where the
    champion cannot be had.
    """
    connect = partial(connect_postgres, settings.postgres_connection, "retrain")
    folders = settings.job_folders
    holder = f"{socket.gethostname()}:{os.getpid()}"
    with closing(connect()) as connection:
        end_given_up(connection)
        forget_texts_of_ended(connection, folders)
        if live_job(connection) is None:
            return None
        # Before the job is taken up: where the bundle cannot be had, the job waits.
        judge = champion(settings, connection)
        job = take_up(connection, holder=holder, lease=LEASE)
        if job is None:
            return None
        spec = spec_of(job.spec)
        desk = Desk(
            spec=spec,
            number=job.number,
            folder=folders / str(job.number),
            connection=connection,
            champion=judge,
            run_command=run_command,
            register=partial(_register, settings, connection, judge.identity.sha256, spec.promote),
        )
        try:
            return work_on(job, desk, holder=holder, connect=connect, told=told)
        except LeaseLost:
            # It may be over: then nobody else works in its folder, and nobody else cleans it here.
            forget_texts_of_ended(connection, folders)
            raise


def champion(settings: Settings, connection: Connection) -> Bundle:
    """Return the bundle that serves: the one that was promoted last, else the installation's.

    Raises `BundleUnavailable` where the promoted one cannot be had.
    """
    history = promotions(connection)
    if not history or settings.model is not None:
        return open_bundle(settings.model or default_bundle())
    model = history[0].event.champion
    return BundleStore(settings.model_choice.store).fetch(model.address, model.sha256)


def _register(
    settings: Settings,
    connection: Connection,
    judged_against: str,
    promotes: bool,
    folder: Path,
    verdict: GateVerdict,
) -> dict[str, Any]:
    """Keep a bundle in MLflow, and promote it where it passed; done again it changes nothing.

    It is promoted over the model that it was judged against (its hash) alone.
    """
    bundle = open_bundle(folder)
    sha256 = bundle.identity.sha256
    broken = "; ".join(rule.sentence for rule in verdict.rules if not rule.passed)
    serves = promotions(connection)
    promoted = bool(serves) and serves[0].event.champion.sha256 == sha256
    held = held_until(connection, settings.rollback.hold)
    is_held = held is not None and database_now(connection) < held and not promoted
    is_overtaken = (
        settings.model is None
        and bool(serves)
        and not promoted
        and serves[0].event.champion.sha256 != judged_against
    )
    promotes = promotes and not is_held and not is_overtaken
    alias = CHAMPION if verdict.passed and promotes else CHALLENGER
    registered = log_bundle(settings.retrain_folder, folder, name=None, aliases=[alias])
    if verdict.passed and promotes and not promoted:
        better = next(rule for rule in verdict.rules if rule.name == "better on the audits")
        promote(
            connection,
            BundleShelf(settings.bundle_shelf),
            folder,
            served_before=lambda: settings.model or default_bundle(),
            because=f"it passed the gate: {better.sentence}",
            now=database_now(connection),
        )
    if verdict.passed and promotes:
        tell_if_waiting(
            connection, settings.kafka_connection, settings.names.topic(MODELS_PROMOTED)
        )
    return {
        "passed": verdict.passed,
        "promoted": verdict.passed and promotes,
        "sha256": sha256,
        "registry_version": registered.registry_version,
        "sentence": f"did not pass: {broken}"
        if not verdict.passed
        else f"passed the gate; a rollback holds until {held:%Y-%m-%d %H:%M} UTC"
        if is_held
        else "passed the gate, but another model serves since: `murmur models promote` has it serve"
        if is_overtaken
        else "passed the gate",
    }
