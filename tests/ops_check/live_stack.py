"""One running installation for all steps: a live stream, a replay, letters, a Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.transport.postgres import connect_postgres
from tests.alerts_live.installation import Installation, running_installation
from tests.conditions import wait_until
from tests.integration.live_stream import TOKEN, settings_for
from tests.monitoring import Prometheus, running_prometheus
from tests.observability_files import OBSERVABILITY
from tests.stack import isolated, migrated_template, running_servers
from tests.x_server.server import fake_x

REPLAYED: Final = "labelled"
_LABELS: Final = ("negative", "neutral", "positive")
_LINES: Final = 300


@dataclass(frozen=True)
class LiveStack:
    """Who to ask."""

    installation: Installation
    prometheus: Prometheus

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, as the reading role sees them."""
        connection = connect_postgres(self.installation.settings.postgres_connection, "ops")
        try:
            with connection, connection.cursor() as cur:
                cur.execute("SET LOCAL ROLE murmur_read")
                cur.execute(query)
                return cur.fetchall()
        finally:
            connection.close()


@contextmanager
def live_stack(folder: Path) -> Iterator[LiveStack]:
    """Start all of it, and yield once something of everything is stored."""
    archive = folder / "labelled.tsv"
    archive.write_text(
        "id\tlabel\ttext\n"
        + "".join(
            f"{900000000000000000 + n}\t{_LABELS[n % 3]}\tword {n} #ops is {_LABELS[n % 3]}\n"
            for n in range(_LINES)
        )
    )
    with (
        running_servers() as servers,
        migrated_template(servers) as template,
        isolated(servers, template) as settings,
        fake_x(TOKEN, heartbeat_s=0.3) as x,
        running_installation(settings_for(x, settings, folder), x, folder) as installation,
        running_prometheus(
            folder, installation.targets, rules=OBSERVABILITY / "rules"
        ) as prometheus,
    ):
        live = LiveStack(installation, prometheus)
        installation.murmur("replay", str(archive), "--run", REPLAYED)
        installation.poison(5)
        _seed(installation)
        installation.disconnect()
        wait_until(lambda: live.sql("SELECT 1 FROM reading.gaps"), 60, "a gap")
        wait_until(lambda: live.sql("SELECT 1 FROM reading.dead_letters"), 60, "a dead letter")
        replayed = "SELECT sum(tweets) FROM reading.day_counts WHERE run = 'labelled'"
        wait_until(lambda: live.sql(replayed) == [(_LINES,)], 120, "the replay to be stored")
        yield live


def _seed(installation: Installation) -> None:
    """Write what people and months bring: audits, and an alarm."""
    installation.sql(
        "INSERT INTO labels (run, root_id, version, labeller, origin, label, answer_seen,"
        " labelled_at) SELECT run, root_id, version, 'ops', 'audit', 'positive', false, now()"
        " FROM scored_tweets WHERE run = 'live' LIMIT 20"
    )
    installation.sql(
        "INSERT INTO alarms (alarm_id, run, rule, signal, subject, kind, detector, model_sha256,"
        " since, window_start, window_end, value, reference, tweets, false_alarms_per_year)"
        " VALUES (md5('ops'), 'live', 'cats', 'confidence', '', 'model', 'by hand', '', now(),"
        " now(), now(), 0.6, 0.9, 100, 1)"
    )
    installation.sql(
        "INSERT INTO evaluations (state, data_set, model_name, model_version, model_sha256, texts,"
        " figures) SELECT 'done', 'a file', name, version, sha256, 4, '{\"figures\":"
        ' {"accuracy": 0.75, "macro_recall": 0.75, "macro_f1": 0.73}, "classes": ['
        '{"label": "negative", "support": 2, "precision": 1.0, "recall": 0.5, "f1": 0.67},'
        '{"label": "positive", "support": 2, "precision": 0.67, "recall": 1.0, "f1": 0.8}],'
        ' "confusion": [[1, 1], [0, 2]]}\' FROM models LIMIT 1'
    )
    installation.sql(
        "INSERT INTO shadow_scores SELECT run, root_id, version, author_id, posted_at::date,"
        " posted_at, rules, model_sha256, label, confidence, model_sha256, 'challenger', label,"
        " confidence, now() FROM scored_tweets WHERE run = 'live' LIMIT 20"
    )
