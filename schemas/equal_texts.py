"""Texts that people sent to the service: what equals the text of a tweet leaves with the tweet."""

from typing import Any, Final

from psycopg2 import sql
from psycopg2.extensions import cursor

TABLES: Final = ("text_labels", "predictions")
"""Texts that name no tweet. PostgreSQL's `text_key` says which are equal: case, links, white space
and escapes of HTML do not count."""


def delete_equal_texts(cur: cursor, tweets: sql.Composable, parameters: tuple[Any, ...]) -> None:
    """Delete what equals the text of a tweet that is about to leave.

    `tweets` is the end of a statement, from FROM on, that finds the tweets while they are stored.
    """
    for table in TABLES:
        name = sql.Identifier(table)
        # Mostly nobody has sent a text: then no tweet is read.
        cur.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(name))
        if cur.fetchall()[0][0]:
            cur.execute(
                sql.SQL(
                    "DELETE FROM {} WHERE text_key(text) IN (SELECT text_key(t.text) {})"
                ).format(name, tweets),
                parameters,
            )
