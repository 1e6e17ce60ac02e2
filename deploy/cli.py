"""The `murmur` command: every room's commands under one name, imported only when called."""

import importlib
import signal
import sys
from typing import Final, NoReturn

import click
from pydantic import ValidationError

from schemas.escape_for_terminal import printable
from schemas.failures import Failure
from schemas.printing import print_line
from schemas.process.ending import without_exit_handlers_of_c
from schemas.process.exit_codes import ExitCode, interrupted_by
from schemas.setting_faults import setting_fault

COMMANDS: Final = {
    "demo": "deploy.demo.cli:demo",
    "up": "deploy.embedded.cli:up",
    "down": "deploy.embedded.cli:down",
    "status": "deploy.embedded.cli:status",
    "kafka": "deploy.embedded.cli:kafka",
    "psql": "deploy.embedded.cli:psql",
    "init": "deploy.installation.cli:init",
    "doctor": "deploy.doctor.cli:doctor",
    "health": "deploy.health.cli:health",
    "backup": "deploy.backup.cli:backup",
    "restore": "deploy.backup.cli:restore",
    "replay": "producers.cli:replay",
    "stream": "producers.live.cli:stream",
    "rules": "producers.rules.cli:rules",
    "gaps": "producers.gaps.cli:gaps",
    "compliance": "producers.compliance.cli:compliance",
    "score": "stream_processors.cli:score",
    "sink": "stream_processors.cli:sink",
    "watch": "retrain.drift.watch.cli:watch",
    "totals": "stream_processors.queries.cli:totals",
    "runs": "stream_processors.queries.cli:runs",
    "export": "stream_processors.queries.cli:export",
    "rescore": "stream_processors.rescoring.cli:rescore",
    "prune": "stream_processors.retention.cli:prune",
    "alarms": "retrain.drift.alarms.cli:alarms",
    "why": "retrain.drift.why.cli:why",
    "data-quality": "retrain.data_quality.cli:data_quality",
    "report": "retrain.span_report.cli:report",
    "decisions": "deploy.decision_commands:decisions",
    "serve": "deploy.web.cli:serve",
    "keys": "deploy.web.access.cli:keys",
    "predict": "model_server.cli:predict",
    "explain": "model_server.cli:explain",
    "overrides": "deploy.override_commands:overrides",
    "model": "retrain.cli:model",
    "models": "retrain.promotion.cli:models",
    "retrain": "retrain.jobs.cli:retrain",
    "shadow": "retrain.shadow.cli:shadow",
    "labels": "retrain.labels.cli:labels",
    "dead-letters": "stream_processors.dead_letters.cli:dead_letters",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are needed, not by the alphabet."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name]} is not a command")
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="murmur")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def murmur(debug: bool) -> None:
    """Turn a stream of tweets into labelled tweets and live aggregates."""
    # Imported here: what only loads this module need not read every setting.
    from schemas.misspelt_settings import misspelt_here
    from schemas.process.logs import keep_libraries_quiet

    if not debug:
        keep_libraries_quiet()
    for name, setting in misspelt_here().items():
        print_line(
            f"murmur: {name} is not a setting and has no effect; did you mean {setting}?", err=True
        )


def main() -> None:
    """Run the command; errors are one line on standard error, exit 2 for a wrong call, else 1."""
    with without_exit_handlers_of_c():
        _run()


def _run() -> NoReturn:
    debug = "--debug" in sys.argv[1:2]
    try:
        result = murmur(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(interrupted_by(signal.SIGINT))
    except click.ClickException as error:
        error.message = printable(error.message, keep="\n")
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        lines, exit_code = explain(error)
        for line in lines:
            print_line(line, err=True)
        sys.exit(exit_code)
    sys.exit(result if isinstance(result, int) else ExitCode.DONE)


def explain(error: Exception) -> tuple[list[str], int]:
    """Return the lines that a person sees for an error, and the exit code."""
    if isinstance(error, ValidationError):
        faults = [f"murmur: {setting_fault(fault)}" for fault in error.errors()]
        return faults, ExitCode.WRONG_CALL
    if isinstance(error, Failure):
        return [f"murmur: {error}"], ExitCode.FAILED
    # psycopg2 is not imported for the sake of its name.
    if type(error).__name__ == "UndefinedTable":
        return ["murmur: the database has no tables yet: run `murmur init`"], ExitCode.FAILED
    text = " ".join(str(error).split())
    where = "`murmur --debug …` shows the traceback"
    return [f"murmur: {type(error).__name__}: {text} ({where})"], ExitCode.FAILED
