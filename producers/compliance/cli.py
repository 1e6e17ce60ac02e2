"""`murmur compliance run | stream`."""

import click

from schemas.printing import print_json, print_line
from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import COMPLIANCE_STREAM

DEFAULT_WAIT_MINUTES = 60


@click.group()
def compliance() -> None:
    """Delete what X no longer shows."""


@compliance.command(short_help="Ask X which stored tweets and accounts are gone, and delete them.")
@click.option(
    "--wait-minutes",
    type=click.IntRange(min=0),
    default=DEFAULT_WAIT_MINUTES,
    show_default=True,
    help="Minutes to wait for X's answer. Run the same command later to continue.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def run(wait_minutes: int, as_json: bool) -> None:
    """Ask X about every stored tweet and account, and delete here what is gone there.

    Run it once a day: X requires deletions to be honoured within 24 hours of a request. Run it
    also beside `murmur compliance stream`.

    `murmur sink` removes the tweets, retweets of them, and what figures, caches and dead letters
    have of them. Captures and archives are files of your own; they are not changed.
    """
    from producers.compliance.run_compliance_jobs import run_compliance
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings

    settings = load_settings()
    configure_logging(settings.command_log, "compliance")
    done = run_compliance(settings, give_up_after_s=wait_minutes * 60.0)
    if as_json:
        print_json(done)
        return
    for kind, counted in done.items():
        said = ", ".join(f"{count:,} {name}" for name, count in counted.items())
        print_line(f"{kind}: {said}")


@compliance.command(short_help="Take X's compliance streams in, for accounts that have them.")
@probe_port_option(COMPLIANCE_STREAM)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def stream(probe_port: int, as_json: bool) -> None:
    """Publish what X's compliance streams say is gone, until stopped.

    For enterprise accounts. One process of an installation is connected, to eight partitions. A
    second one waits and takes over.

    Run `murmur compliance run` daily too: only it finds what was missed between connections.
    """
    from producers.compliance.run_compliance_stream import run_compliance_stream
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    configure_logging(settings.log, COMPLIANCE_STREAM.name)
    require_trusted_kafka(settings.kafka_connection)
    done = run_compliance_stream(settings, probe_port=probe_port)
    if as_json:
        print_json(done)
