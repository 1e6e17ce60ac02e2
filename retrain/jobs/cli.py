"""`murmur retrain`: whether a model is trained anew, and what becomes of it."""

from typing import TYPE_CHECKING

import click

from schemas.printing import print_json, print_line
from schemas.process.exit_codes import ExitCode
from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import RETRAIN_WATCH

if TYPE_CHECKING:
    from retrain.jobs.run_job import JobResult
    from schemas.settings import Settings

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def retrain() -> None:
    """Train the model anew when there is a reason, and let a better one serve."""


@retrain.command(short_help="Decide whether a training is due; exit 99 if not.")
@click.option("--force", is_flag=True, help="Ask for no reason, and wait for no cooldown.")
@_JSON
def check(force: bool, as_json: bool) -> int:
    """Decide whether a training is due, store the decision, and create a job if it is.

    It looks at one run: `live`, or the one that MURMUR_RETRAIN_RUN names.

    Exit 0: a job waits, `murmur retrain run` does it. Exit 99: nothing is to be done now.
    """
    from contextlib import closing

    from retrain.jobs.check import check_retraining
    from retrain.jobs.job_folders import forget_texts_of_ended
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    settings = load_settings()
    with closing(connect_postgres(settings.postgres_connection, "retrain")) as connection:
        checked = check_retraining(connection, settings.retraining, forced=force)
        forget_texts_of_ended(connection, settings.job_folders)
    if as_json:
        print_json(checked)
    else:
        job = "" if checked.job is None else f"; job {checked.job} waits for `murmur retrain run`"
        print_line(f"run {settings.retraining.run}: {checked.decision.sentence}{job}")
    return ExitCode.DONE if checked.decision.fires else ExitCode.NOTHING_TO_DO


@retrain.command(short_help="Work on the job that waits; exit 99 if there is none.")
@click.option("--force", is_flag=True, help="Create a job first if none waits, for no reason.")
@_JSON
def run(force: bool, as_json: bool) -> int:
    """Work on the job that waits, or on one whose process is gone, to its end.

    After a kill the same command goes on at the stage where it stood. Exit 0: the job is done, also
    if its model was refused. Exit 99: there is no job.
    """

    from retrain.training_libraries import prepare_libraries
    from schemas.settings import load_settings

    prepare_libraries()
    settings = load_settings()
    if force:
        _create_if_none_is_live(settings)
    result = _work(settings)
    if as_json:
        print_json(result)
    elif result is None:
        print_line("there is no job to work on")
    else:
        print_line(f"job {result.job} is {result.state}: {result.detail}")
    if result is None:
        return ExitCode.NOTHING_TO_DO
    return ExitCode.FAILED if result.state == "failed" else ExitCode.DONE


@retrain.command(short_help="Decide again and again, and work on the jobs.")
@click.option(
    "--every-s",
    type=click.FloatRange(1),
    default=600,
    show_default=True,
    help="Seconds between two decisions.",
)
@probe_port_option(RETRAIN_WATCH)
def watch(every_s: float, probe_port: int) -> None:
    """Decide every some minutes whether a training is due, and do it in a process of its own."""
    from retrain.jobs.watch_retraining import watch_retraining
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    configure_logging(settings.log, RETRAIN_WATCH.name)
    require_trusted_kafka(settings.kafka_connection)
    watch_retraining(settings, probe_port, every_s=every_s)


@retrain.command("jobs")
@_JSON
def list_jobs(as_json: bool) -> None:
    """Show the jobs, the last one first."""
    from contextlib import closing

    from retrain.jobs.display import jobs_table
    from retrain.jobs.job_store import jobs
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.postgres import connect_postgres

    with closing(connect_postgres(load_settings().postgres_connection, "retrain")) as connection:
        found = jobs(connection)
    if as_json:
        print_json({"jobs": found})
    elif found:
        print_whole(terminal_console(), jobs_table(found))
    else:
        print_line("there are no jobs yet: `murmur retrain check` creates one when there is reason")


@retrain.command()
@click.argument("job", type=click.IntRange(min=1))
@_JSON
def show(job: int, as_json: bool) -> None:
    """Show a job with what its stages gave, and the verdict of the gate."""
    from contextlib import closing

    from retrain.jobs.display import job_view
    from retrain.jobs.job_store import find_job, stage_outputs
    from schemas.settings import load_settings
    from schemas.terminal import print_whole, terminal_console
    from schemas.transport.postgres import connect_postgres

    with closing(connect_postgres(load_settings().postgres_connection, "retrain")) as connection:
        found = find_job(connection, job)
        stages = stage_outputs(connection, job)
    if as_json:
        print_json({"job": found, "stages": stages})
    else:
        print_whole(terminal_console(), *job_view(found, stages))


@retrain.command()
@click.argument("job", type=click.IntRange(min=1))
def cancel(job: int) -> None:
    """End a job: at once if nobody works on it, else within a minute.

    Its texts are removed from this machine then.
    """
    from contextlib import closing

    from retrain.jobs.job_folders import forget_texts_of_ended
    from retrain.jobs.job_store import ask_to_cancel
    from schemas.settings import load_settings
    from schemas.transport.postgres import connect_postgres

    settings = load_settings()
    with closing(connect_postgres(settings.postgres_connection, "retrain")) as connection:
        found = ask_to_cancel(connection, job)
        forget_texts_of_ended(connection, settings.job_folders)
    print_line(
        f"job {job} is cancelled"
        if found.state == "cancelled"
        else f"job {job} ends as soon as its process hears of it"
    )


def _create_if_none_is_live(settings: "Settings") -> None:
    from contextlib import closing

    from retrain.jobs.check import check_retraining
    from retrain.jobs.job_store import live_job
    from schemas.failures import Failure
    from schemas.transport.postgres import connect_postgres

    with closing(connect_postgres(settings.postgres_connection, "retrain")) as connection:
        if live_job(connection) is None:
            checked = check_retraining(connection, settings.retraining, forced=True)
            if not checked.decision.fires:
                raise Failure(checked.decision.sentence)


def _work(settings: "Settings") -> "JobResult | None":
    import sys
    from contextlib import redirect_stdout

    from retrain.cli import model
    from retrain.jobs.do_job import do_waiting_job

    def run_command(arguments: list[str]) -> None:
        # What a stage prints is a log; standard output has what became of the job.
        with redirect_stdout(sys.stderr):
            model.main(arguments, prog_name="murmur model", standalone_mode=False)

    def told(stage: str, skipped: bool) -> None:
        print_line(f"{stage}: {'done before' if skipped else 'begins'}", err=True)

    return do_waiting_job(settings, run_command=run_command, told=told)
