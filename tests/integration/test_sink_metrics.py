"""What `murmur sink` exposes, its refresher among it."""

import subprocess
from pathlib import Path

from schemas.settings import Settings
from tests.conditions import wait_until
from tests.integration.test_score import probe
from tests.integration.test_sink import publish
from tests.metrics_page import differences
from tests.stack import MURMUR, process_environment
from tests.unit.examples import deleted, scored_tweet


def test_a_sink_exposes_what_the_list_says(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "sink.log"

    def stored() -> str | None:
        _, page = probe(log, "/metrics")
        removed = 'murmur_sink_events_total{outcome="removal"} 1.0'
        refreshed = "murmur_aggregates_refresh_seconds_count 0.0"
        return page if removed in page and refreshed not in page else None

    with (
        log.open("ab") as output,
        subprocess.Popen(
            [MURMUR, "sink", "--probe-port", "0"],
            env=process_environment(settings),
            stderr=output,
        ) as sink,
    ):
        try:
            publish(settings, [scored_tweet(), scored_tweet(), b"{not json", deleted("1")])
            page = wait_until(stored, 60, "the events and a round of the refresher")
        finally:
            sink.kill()
    assert differences(page, "sink") == []
