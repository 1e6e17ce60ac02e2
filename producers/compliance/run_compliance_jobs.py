"""What `murmur compliance run` does: ask X about everything stored, publish what has to go."""

import logging
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from typing import Final

from producers.compliance.jobs import ComplianceJobs, JobOver
from producers.compliance.stored_ids import StoredIds
from producers.publishing.destination import destination
from producers.publishing.outgoing import SourceRecord, publish_record
from producers.x_account.client import patient, search_client
from producers.x_account.http_adapter import x_adapter
from producers.x_api.removals import SOURCE, STAGE, Kind, parsed_removal, removal_of
from schemas.events import LIVE
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres
from schemas.transport.publisher import ConfirmingPublisher

logger = logging.getLogger(__name__)

_KINDS: Final[tuple[Kind, ...]] = ("tweets", "users")
_CONFIRM_EVERY: Final = 5_000


def run_compliance(
    settings: Settings,
    *,
    give_up_after_s: float,
    wait: Callable[[float], object] = time.sleep,
) -> dict[str, dict[str, int]]:
    """Return, by kind, how many ids were asked about and what was published.

    A job that was interrupted is taken up again; its result may be published twice, which
    changes nothing. Where X has forgotten it meanwhile, its ids are asked about anew. Raises
    `Failure`.
    """
    client = search_client(x_adapter(settings))
    jobs = ComplianceJobs(client, patient(wait), wait)
    stored = StoredIds(partial(connect_postgres, settings.postgres_connection, STAGE))
    publisher = ConfirmingPublisher(settings.kafka_connection, "murmur-compliance")
    done: dict[str, dict[str, int]] = {}
    with closing(stored):
        for kind in _KINDS:
            done[kind] = _asked_about(jobs, stored, kind, publisher, settings, give_up_after_s)
    return done


def _asked_about(
    jobs: ComplianceJobs,
    stored: StoredIds,
    kind: Kind,
    publisher: ConfirmingPublisher,
    settings: Settings,
    give_up_after_s: float,
) -> dict[str, int]:
    """Return what became of the ids of a kind; a job of an earlier call that is over is replaced.

    A job of this call that is over is noted so, and fails.
    """
    unfinished = stored.unfinished(kind)
    while True:
        job = unfinished or _begun(jobs, stored, kind)
        if job is None:
            return {"ids": 0}
        job_id, ids = job
        try:
            counted = _published(jobs, job_id, kind, publisher, settings, give_up_after_s)
        except JobOver as over:
            stored.finished(job_id, 0, datetime.now(UTC))
            if unfinished is None:
                raise
            logger.warning("%s: X is asked about all %s anew", over, kind)
            unfinished = None
            continue
        stored.finished(job_id, counted.total(), datetime.now(UTC))
        return {"ids": ids, **counted}


def _begun(jobs: ComplianceJobs, stored: StoredIds, kind: Kind) -> tuple[str, int] | None:
    """Return a new job about all ids that are stored; None without ids."""
    with tempfile.TemporaryFile() as file:
        ids = 0
        for each in stored.ids(kind):
            file.write(each.encode() + b"\n")
            ids += 1
        if not ids:
            return None
        file.seek(0)
        job_id = jobs.begin(kind, file)
    stored.began(job_id, kind, ids, datetime.now(UTC))
    return job_id, ids


def _published(
    jobs: ComplianceJobs,
    job_id: str,
    kind: Kind,
    publisher: ConfirmingPublisher,
    settings: Settings,
    give_up_after_s: float,
) -> Counter[str]:
    to = destination(settings.names, LIVE, STAGE)
    counted: Counter[str] = Counter()
    for number, line in enumerate(jobs.result(job_id, give_up_after_s), start=1):
        parsed = parsed_removal(partial(removal_of, line, kind, datetime.now(UTC)))
        record = SourceRecord(line, f"{SOURCE}:{job_id}", number)
        messages = publish_record(publisher, record, parsed, to)
        counted.update(type(message.event).__name__ for message in messages.events)
        counted.update("dead letters" for _ in messages.dead_letters)
        counted.update(parsed.skipped)
        if number % _CONFIRM_EVERY == 0:
            publisher.confirm()
    publisher.confirm()
    return counted
