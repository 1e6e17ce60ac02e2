"""The secret that links of redriven messages are signed with: one for an installation."""

from psycopg2.extensions import cursor


def redrive_secret(cur: cursor) -> bytes:
    """Return the secret, which came with the tables."""
    cur.execute("SELECT secret FROM secrets WHERE purpose = 'redrive'")
    ((secret,),) = cur.fetchall()
    return bytes(secret)
