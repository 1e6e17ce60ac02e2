"""A topic of promoted models that was made anew is noticed, and told again."""

from contextlib import closing
from pathlib import Path

from deploy.doctor.examine import examine
from deploy.installation.installing import check_installation, install
from deploy.installation.server_faults import server_faults
from schemas.process.process_list import SCORE
from schemas.settings import Settings
from schemas.transport.postgres import connect_postgres

PROMOTED = Path(__file__).parents[2] / "schemas/golden/models.promoted/ModelPromoted-v1.json"


def test_a_promotion_that_kafka_has_lost_is_said_and_told_again_by_init(
    settings: Settings,
) -> None:
    assert install(settings.installation).told_again is False
    with (
        closing(connect_postgres(settings.postgres_connection, "test")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        # As it stands after the topic, which held it, was deleted and made again.
        cursor.execute(
            "INSERT INTO promotions (promotion_id, event, promoted_at, published_at)"
            " VALUES ('p', %s, now(), now())",
            (PROMOTED.read_text(),),
        )
    lost = "models.promoted does not hold the last promotion"
    assert any(lost in fault for fault in server_faults(settings))
    assert any(lost in sentence for sentence in check_installation(settings.installation).untold)
    findings = examine(settings, processes=[SCORE])
    assert [each.state for each in findings if lost in each.found] == ["wrong"]

    assert install(settings.installation).told_again is True

    assert install(settings.installation).told_again is False
    assert check_installation(settings.installation).complete
    assert not any(lost in fault for fault in server_faults(settings))
