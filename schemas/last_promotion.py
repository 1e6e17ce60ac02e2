"""The promotion that counts, as PostgreSQL knows it."""

from schemas.model_events import ModelPromoted, decode_promoted
from schemas.transport.postgres import Connection


def last_promotion(connection: Connection) -> ModelPromoted | None:
    """Return the last promotion; None where no model was promoted, or there is no table yet."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('promotions') IS NOT NULL")
        if not cursor.fetchall()[0][0]:
            return None
        cursor.execute("SELECT event::text FROM promotions ORDER BY promotion_no DESC LIMIT 1")
        return next((decode_promoted(event.encode()) for (event,) in cursor), None)
