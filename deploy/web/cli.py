"""`murmur serve`."""

import click

from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import SERVE


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Interface; one other than the loopback's needs keys (`murmur keys`).",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8100,
    show_default=True,
    help="Port of the service; 0: a free one.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="Name by which clients call the service (their header Host), without a port. May be "
    "repeated. The loopback's names and --host are always answered.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    help="Threads that score, each on a core of its own. [default: MURMUR_SERVE_THREADS]",
)
@probe_port_option(SERVE)
def serve(
    host: str, port: int, hosts: tuple[str, ...], threads: int | None, probe_port: int
) -> None:
    """Answer texts over HTTP with the model that serves the stream, and tell Murmur's figures.

    Without any key it answers the person at this machine alone: processes of its own account, on
    the loopback, and no proxy. Make a key (`murmur keys`) before you put a proxy before it.
    """
    from deploy.web.serve import serve as serve_http
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    configure_logging(settings.log, SERVE.name)
    if settings.kafka:
        require_trusted_kafka(settings.kafka_connection)
    if threads is not None:
        settings = settings.model_copy(update={"serve_threads": threads})
    serve_http(settings, probe_port, host=host, port=port, hosts=hosts)
