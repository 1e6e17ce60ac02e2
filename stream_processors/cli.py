"""`murmur score` and `murmur sink`: one process each, the same wherever they run."""

import click

SCORE_PROBE_PORT = 9101
SINK_PROBE_PORT = 9102


@click.command()
@click.option(
    "--probe-port",
    type=click.IntRange(0, 65_535),
    default=SCORE_PROBE_PORT,
    show_default=True,
    help="Where /metrics, /healthz and /readyz are; 0: a free port.",
)
def score(probe_port: int) -> None:
    """Score tweets: tweets.raw → tweets.scored. Run one process a core, as many as you like."""
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from stream_processors.scoring.worker import run_score_worker

    settings = load_settings()
    configure_logging(settings, "score")
    run_score_worker(settings, probe_port)


@click.command(short_help="Store scored tweets and keep aggregates cached.")
@click.option(
    "--probe-port",
    type=click.IntRange(0, 65_535),
    default=SINK_PROBE_PORT,
    show_default=True,
    help="Where /metrics, /healthz and /readyz are; 0: a free port.",
)
def sink(probe_port: int) -> None:
    """Store scored tweets in PostgreSQL and keep the aggregates in Redis."""
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from stream_processors.sink.worker import run_sink_worker

    settings = load_settings()
    configure_logging(settings, "sink")
    run_sink_worker(settings, probe_port)
