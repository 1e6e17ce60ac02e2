"""Which runs there are, and which one a person means who names none."""

from schemas.events import LIVE
from schemas.failures import NotThere
from schemas.transport.postgres import Connection

_MOST_NAMED = 10


class UnknownRun(NotThere):
    """A run of this name does not exist; the message names some that do."""


def run_names(connection: Connection) -> list[str]:
    """Return the runs that hold something, the one that changed last first."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT run FROM runs ORDER BY changed_at DESC, run")
        return [run for (run,) in cursor]


def require_run(connection: Connection, run: str) -> None:
    """Raise `UnknownRun` unless the run exists."""
    names = run_names(connection)
    if run not in names:
        raise UnknownRun(f"there is no run {run!r}; {_which_there_are(names)}")


def default_run(connection: Connection) -> str:
    """Return `live` if it has tweets, else the run that changed last; or raise `UnknownRun`."""
    names = run_names(connection)
    if not names:
        raise UnknownRun(_which_there_are(names))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM live_roots)")
        (live_has_tweets,) = cursor.fetchall()[0]
    return LIVE if live_has_tweets else names[0]


def _which_there_are(names: list[str]) -> str:
    if not names:
        return "there are no runs yet: `murmur replay FILE` or `murmur demo` makes one"
    more = len(names) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED])
    return f"there are {listed}" + (f" and {more} more" if more > 0 else "")
