"""The rows of `posts_read`: how many posts X has sent to this account, by UTC day."""

from datetime import date

from psycopg2.extensions import cursor


def add_posts_read(cur: cursor, day: date, posts: int) -> None:
    """Add posts that were read on a UTC day. To repeat it counts them again."""
    cur.execute(
        "INSERT INTO posts_read AS p (day, posts) VALUES (%s, %s)"
        " ON CONFLICT (day) DO UPDATE SET posts = p.posts + excluded.posts",
        (day, posts),
    )


def posts_read_since_first(cur: cursor, day: date) -> dict[date, int]:
    """Return the posts read, by day, since the first day of the UTC month of `day`."""
    cur.execute(
        "SELECT day, posts FROM posts_read WHERE day >= date_trunc('month', %s::date)", (day,)
    )
    return dict(cur.fetchall())
