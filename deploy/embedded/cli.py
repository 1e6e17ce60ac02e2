"""`murmur up`, `down`, `status`, `kafka` and `psql`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from deploy.embedded.kafka_tool_names import TOOLS
from schemas.counted_nouns import number_of
from schemas.printing import confirm, print_json, print_line
from schemas.process.process_list import EMBEDDED

if TYPE_CHECKING:
    from deploy.embedded.start_programs import Say
    from deploy.embedded.status import Status
    from deploy.embedded.stored_runs import StoredRun

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_show_secrets = click.option(
    "--show-secrets", is_flag=True, help="Show the passwords in the addresses."
)
_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False}


@click.command(short_help="Start the embedded stack.")
@click.option(
    "--servers-only",
    is_flag=True,
    help=f"Leave the workers ({', '.join(worker.name for worker in EMBEDDED)}) out.",
)
@_show_secrets
@_as_json
def up(servers_only: bool, show_secrets: bool, as_json: bool) -> None:
    """Start the embedded stack: servers, topics and tables, workers, the page. May be repeated.

    It prints the page's address. Ctrl-C stops what it has started.

    Beside the workers it keeps up what MURMUR_UP_WITH lists: `serve`, which is the page, unless you
    set another list. MURMUR_UP_WITH=serve,stream adds live tweets from X.
    """
    from deploy.embedded import stack
    from deploy.embedded.status import status
    from schemas.settings import load_settings

    home = load_settings().home
    say = _say()
    ran_before = stack.runs(home)
    try:
        stack.up(home, servers_only=servers_only, say=say)
    except KeyboardInterrupt:
        if ran_before:
            say("interrupted: the stack ran before and still runs; `murmur down` stops it")
        else:
            say("interrupted: stopping what was started")
            stack.down(home, say=say)
        raise
    _show(status(home), as_json=as_json, show_secrets=show_secrets)


@click.command()
@click.option("--delete-data", is_flag=True, help="Delete all data of the stack too, for good.")
@click.option("--yes", is_flag=True, help="Do not ask before deleting what cannot be made again.")
@_as_json
def down(delete_data: bool, yes: bool, as_json: bool) -> None:
    """Stop the embedded stack; its data stays.

    --delete-data asks first where the data hold a run that cannot be made again: `live`, or one
    that people have labelled.
    """
    from deploy.embedded import stack
    from schemas.settings import load_settings

    home = load_settings().home
    stopped = stack.down(home, say=_say())
    if delete_data and not yes:
        _confirm_deletion(home)
    if delete_data:
        stack.remove(home)
    if as_json:
        print_json({"stopped": stopped, "data_deleted": delete_data})
    else:
        print_line("The stack is stopped." if stopped else "No stack was running.")
        if delete_data:
            print_line(f"Its data in {home} are deleted.")


@click.command(short_help="Show addresses, processes, faults and lag.")
@_show_secrets
@_as_json
def status(show_secrets: bool, as_json: bool) -> int:
    """Show addresses, processes, faults and lag.

    Exits 1 if something is at fault: the stack is not up and not all servers are your own, a server
    does not answer, topics or tables are missing, or the tables hold what came from another Kafka.
    """
    from deploy.embedded.status import status as ask
    from schemas.settings import load_settings

    answer = ask(load_settings().home)
    _show(answer, as_json=as_json, show_secrets=show_secrets)
    return 0 if answer.is_well else 1


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

    return run_tool(load_settings().kafka_connection, tool, arguments)


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

    become_psql(load_settings().postgres_connection, arguments)


def _say() -> "Say":
    from rich.markup import escape

    from schemas.terminal import terminal_console

    console = terminal_console(stderr=True)
    return lambda line: console.print(f"[dim]{escape(line)}[/dim]", soft_wrap=True)


def _confirm_deletion(home: Path) -> None:
    """Ask before runs are deleted that cannot be made again, or of which nothing is known."""
    from deploy.embedded.layout import Layout
    from deploy.embedded.stored_runs import remembered_runs

    layout = Layout.of(home)
    if not layout.state.exists():
        return
    runs = remembered_runs(layout)
    if runs is None:
        what = "its runs are not known, since it did not stop in an orderly way"
    elif any(run.tweets and not run.can_be_made_again for run in runs):
        what = "runs: " + ", ".join(map(_in_short, runs))
    else:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{layout.home} is not deleted ({what}): add --yes to delete it")
    confirm(f"Delete all data in {layout.home}? {what}")


def _in_short(run: "StoredRun") -> str:
    labels = f", {number_of(run.labels, 'label')} of people" if run.labels else ""
    return f"{run.run} ({number_of(run.tweets, 'tweet')}{labels})"


def _show(answer: "Status", *, as_json: bool, show_secrets: bool) -> None:
    from deploy.embedded.status_display import print_status

    answer = answer if show_secrets else answer.masked()
    if as_json:
        print_json(answer)
    else:
        print_status(answer)
