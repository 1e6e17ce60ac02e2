"""Airflow 3: evaluate hourly, look at drift, and train anew when there is a reason.

Airflow only triggers. What is decided, and how far a job is, stands in Murmur's PostgreSQL, so a
task that is killed or run again does nothing twice. Murmur is installed in an environment of its
own (`MURMUR_BIN` names its command); its settings are variables of the worker's environment.
"""

import os
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

MURMUR = os.environ.get("MURMUR_BIN", "murmur")
RUN = os.environ.get("MURMUR_RETRAIN_RUN", "live")


def task(name: str, command: str, **more: object) -> BashOperator:
    """Return a task that calls Murmur; it is shown as skipped where there is nothing to do (99)."""
    return BashOperator(
        task_id=name,
        bash_command=f"{MURMUR} {command}",
        append_env=True,
        skip_on_exit_code=99,
        **more,
    )


with DAG(
    "murmur_renewal",
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=2)},
):
    evaluation = task("evaluation", f"totals --run {RUN} --json")
    drift_check = task("drift_check", f"alarms list --run {RUN} --json")
    retraining_check = task("retraining_check", "retrain check --json")
    # Also where nothing new is due: a job whose worker was lost goes on where it was.
    retraining = task(
        "retraining",
        "retrain run --json",
        execution_timeout=timedelta(hours=12),
        trigger_rule="none_failed",
    )
    [evaluation, drift_check] >> retraining_check >> retraining
