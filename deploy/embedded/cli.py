"""`murmur up`, `down`, `status`, `kafka` and `psql`."""

from typing import TYPE_CHECKING

import click

from deploy.embedded.kafka_tool_names import TOOLS
from schemas.process.process_list import EMBEDDED

if TYPE_CHECKING:
    from deploy.embedded.start_programs import Say
    from deploy.embedded.status import Status

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(short_help="Start the embedded stack.")
@click.option(
    "--servers-only",
    is_flag=True,
    help=f"Leave the workers ({', '.join(worker.name for worker in EMBEDDED)}) out.",
)
@_as_json
def up(servers_only: bool, as_json: bool) -> None:
    """Start the embedded stack: servers, topics and tables, workers. May be repeated."""
    from deploy.embedded import stack
    from deploy.embedded.status import status
    from schemas.settings import load_settings

    home = load_settings().home
    stack.up(home, servers_only=servers_only, say=_say())
    _show(status(home), as_json=as_json)


@click.command()
@click.option("--delete-data", is_flag=True, help="Delete all data of the stack too, for good.")
@_as_json
def down(delete_data: bool, as_json: bool) -> None:
    """Stop the embedded stack; its data stays."""
    import msgspec

    from deploy.embedded import stack
    from schemas.settings import load_settings

    home = load_settings().home
    stopped = stack.down(home, say=_say())
    if delete_data:
        stack.remove(home)
    if as_json:
        click.echo(msgspec.json.encode({"stopped": stopped, "data_deleted": delete_data}))
    else:
        click.echo("The stack is stopped." if stopped else "No stack was running.")
        if delete_data:
            click.echo(f"Its data in {home} are deleted.")


@click.command(short_help="Show addresses (with passwords), processes and lag.")
@_as_json
def status(as_json: bool) -> int:
    """Show addresses (with passwords), processes and lag.

    Exits 1 if the stack is not up, unless all servers are your own and Kafka answers.
    """
    from deploy.embedded.status import status as ask
    from schemas.settings import load_settings

    answer = ask(load_settings().home)
    _show(answer, as_json=as_json)
    return 0 if answer.running or answer.needs_no_stack else 1


@click.command(
    context_settings=_PASSED_ON,
    short_help="Run one of Kafka's own command line tools.",
)
@click.argument("tool", type=click.Choice(list(TOOLS)), metavar="TOOL")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kafka(tool: str, arguments: tuple[str, ...]) -> int:
    """Run one of Kafka's own command line tools on the cluster that Murmur uses.

    \b
    murmur kafka topics --list
    murmur kafka console-consumer --topic tweets.scored --group mine --from-beginning
    murmur kafka consumer-groups --describe --all-groups

    TOOL is one of console-consumer, console-producer, topics, consumer-groups, groups, configs,
    get-offsets, delete-records, log-dirs and acls; `murmur kafka TOOL --help` shows its options.
    """
    from deploy.embedded.kafka_tools import run_tool
    from schemas.settings import load_settings

    return run_tool(load_settings(), tool, arguments)


@click.command(
    context_settings=_PASSED_ON,
    short_help="Run PostgreSQL's own command line client.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Run PostgreSQL's own command line client on the database that Murmur uses.

    \b
    murmur psql
    murmur psql -c "SELECT label, count(*) FROM scored_tweets WHERE run = 'demo' GROUP BY 1"
    """
    from deploy.embedded.psql import become_psql
    from schemas.settings import load_settings

    become_psql(load_settings(), arguments)


def _say() -> "Say":
    from rich.markup import escape

    from schemas.terminal import terminal_console

    console = terminal_console(stderr=True)
    return lambda line: console.print(f"[dim]{escape(line)}[/dim]", soft_wrap=True)


def _show(answer: "Status", *, as_json: bool) -> None:
    import msgspec

    from deploy.embedded.status_display import print_status

    if as_json:
        click.echo(msgspec.json.encode(answer))
    else:
        print_status(answer)
