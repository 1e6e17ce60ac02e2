"""The `murmur` command: every room's commands under one name, imported only when called."""

import importlib
import logging
import sys
from typing import Final

import click
from pydantic import ValidationError

from schemas.failures import Failure

COMMANDS: Final = {
    "demo": "deploy.demo.cli:demo",
    "up": "deploy.embedded.cli:up",
    "down": "deploy.embedded.cli:down",
    "status": "deploy.embedded.cli:status",
    "kafka": "deploy.embedded.cli:kafka",
    "init": "deploy.installation.cli:init",
    "replay": "producers.cli:replay",
    "score": "stream_processors.cli:score",
    "sink": "stream_processors.cli:sink",
    "totals": "stream_processors.reading.cli:totals",
    "runs": "stream_processors.reading.cli:runs",
    "export": "stream_processors.reading.cli:export",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a tweet's way, not of the alphabet."""
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
            raise TypeError(f"{COMMANDS[cmd_name]} is no command")
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="murmur")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def murmur(debug: bool) -> None:
    """Turn a stream of tweets into labelled tweets and live aggregates."""
    del debug


def main() -> None:
    """Run the command; errors are one line on standard error, exit 2 for a wrong call, else 1."""
    debug = "--debug" in sys.argv[1:2]
    try:
        result = murmur(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ValidationError as error:
        if debug:
            raise
        for fault in error.errors():
            name = "_".join(str(part) for part in fault["loc"]).upper()
            click.echo(f"murmur: MURMUR_{name}: {fault['msg']}", err=True)
        sys.exit(2)
    except Failure as error:
        if debug:
            raise
        click.echo(f"murmur: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        logging.getLogger(__name__).debug("unexpected", exc_info=True)
        text = " ".join(str(error).split())
        click.echo(
            f"murmur: {type(error).__name__}: {text} (murmur --debug … shows more)", err=True
        )
        sys.exit(1)
