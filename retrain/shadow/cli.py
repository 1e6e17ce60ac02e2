"""`murmur shadow`: one process, the same wherever it runs."""

import click

from schemas.process.probe_port_option import probe_port_option
from schemas.process.process_list import SHADOW


@click.command(short_help="Have another model score a sample beside the champion.")
@probe_port_option(SHADOW)
def shadow(probe_port: int) -> None:
    """Score a sample of the tweets with the bundle that MURMUR_SHADOW_MODEL names.

    Nothing counts by its answers. `murmur models compare` compares them with those that count.
    """
    from retrain.shadow.shadow_worker import run_shadow_worker
    from schemas.process.logs import configure_logging
    from schemas.settings import load_settings
    from schemas.transport.kafka_trust import require_trusted_kafka

    settings = load_settings()
    configure_logging(settings.log, SHADOW.name)
    require_trusted_kafka(settings.kafka_connection)
    run_shadow_worker(
        settings.cluster,
        settings.postgres_connection,
        settings.shadow,
        probes=settings.probe_address(probe_port),
        stall_after_s=settings.stall_after_s,
    )
