"""`murmur score` and `murmur sink`: one process each, the same wherever they run."""

import click

from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import SCORE, SINK


@click.command()
@probe_port_option(SCORE)
def score(probe_port: int) -> None:
    """Score tweets: tweets.raw → tweets.scored. Run one process a core, as many as you like."""
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka
    from stream_processors.scoring.score_worker import run_score_worker

    settings = load_settings()
    configure_logging(settings.log, SCORE.name)
    require_trusted_kafka(settings.kafka_connection)
    run_score_worker(settings, probe_port)


@click.command(short_help="Store scored tweets and keep aggregates cached.")
@probe_port_option(SINK)
def sink(probe_port: int) -> None:
    """Store scored tweets in PostgreSQL and keep the aggregates in Redis."""
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka
    from stream_processors.sink.sink_worker import run_sink_worker

    settings = load_settings()
    configure_logging(settings.log, SINK.name)
    require_trusted_kafka(settings.kafka_connection)
    run_sink_worker(settings, probe_port)
