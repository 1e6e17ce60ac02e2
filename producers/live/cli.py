"""`murmur stream`."""

from pathlib import Path

import click

from schemas.printing import print_json
from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import STREAM


@click.command()
@click.option(
    "--capture",
    type=click.Path(file_okay=False, writable=True, path_type=Path),
    metavar="DIR",
    help="Also write what is received to files there, which `murmur replay` reads.",
)
@probe_port_option(STREAM)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def stream(capture: Path | None, probe_port: int, as_json: bool) -> int:
    """Publish X's filtered stream until stopped.

    Needs MURMUR_X_BEARER_TOKEN or MURMUR_X_BEARER_TOKEN_FILE, and rules (`murmur rules apply`).
    One process of an installation is connected. A second one waits and takes over.
    """
    from producers.live.run_stream import run_stream
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    configure_logging(settings.log, STREAM.name)
    require_trusted_kafka(settings.kafka_connection)
    done = run_stream(settings, capture=capture, probe_port=probe_port)
    if as_json:
        print_json(done)
    return 0
