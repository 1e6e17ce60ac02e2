"""One look: decide, store the decision, and create a job where it fires."""

from msgspec import Struct

from retrain.jobs.job_spec import JobSpec
from retrain.jobs.job_store import create_job, record_decision
from retrain.jobs.policy import PolicyDecision, decide_retraining
from retrain.jobs.policy_inputs import policy_settings, read_policy_inputs
from retrain.promotion.promotion_gate import GateLimits
from schemas.setting_views import RetrainingSettings
from schemas.transport.postgres import Connection


class Checked(Struct, frozen=True, kw_only=True):
    """A decision, its number, and the job that came of it, if one did."""

    number: int
    decision: PolicyDecision
    job: int | None


def spec_from(settings: RetrainingSettings) -> JobSpec:
    """Return what a job of these settings is asked to do."""
    return JobSpec(
        run=settings.run,
        label_files=settings.label_files,
        standing_files=settings.standing_files,
        quick=settings.quick,
        train_options=settings.train_options,
        limits=GateLimits(fewest_audits=settings.fewest_audits, recall_loss=settings.recall_loss),
    )


def check_retraining(
    connection: Connection, settings: RetrainingSettings, *, forced: bool
) -> Checked:
    """Decide now and store it; create a job that waits where the policy fires.

    Raises `JobIsLive` where another process created one in the same moment.
    """
    thresholds = policy_settings(settings)
    inputs = read_policy_inputs(connection, settings.run, forced=forced)
    decision = decide_retraining(inputs, thresholds)
    number = record_decision(connection, inputs, thresholds, decision)
    job = None
    if decision.fires:
        spec = spec_from(settings).as_stored()
        job = create_job(connection, run=settings.run, spec=spec, decision=number)
    return Checked(number=number, decision=decision, job=job)
