"""`murmur serve`."""

import click

from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import SERVE


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Interface; a loopback one for now."
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8100,
    show_default=True,
    help="Port of the service; 0: a free one.",
)
@probe_port_option(SERVE)
def serve(host: str, port: int, probe_port: int) -> None:
    """Answer texts over HTTP with the model that serves the stream."""
    from deploy.web.serve import serve as serve_http
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings

    settings = load_settings()
    configure_logging(settings.log, SERVE.name)
    serve_http(settings, probe_port, host=host, port=port)
