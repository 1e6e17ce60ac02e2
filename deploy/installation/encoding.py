"""The encoding of the database: tweets are not ASCII."""

from contextlib import closing
from typing import Final

from schemas.failures import Failure
from schemas.setting_views import PostgresConnection
from schemas.transport.postgres import connect_postgres

_NEEDED: Final = "UTF8"
WHAT_TO_DO: Final = (
    "make another WITH ENCODING 'UTF8' TEMPLATE template0, and name it in MURMUR_POSTGRES"
)


def is_right_encoding(encoding: str) -> bool:
    """Tell whether tweets can be stored in a database of this `server_encoding`."""
    return encoding == _NEEDED


def encoding_fault(postgres: PostgresConnection) -> str | None:
    """Return what is wrong with the encoding of the database, and what to do; None if nothing."""
    with closing(connect_postgres(postgres, "init")) as connection:
        encoding = str(connection.get_parameter_status("server_encoding"))
    if is_right_encoding(encoding):
        return None
    return f"the database is in {encoding}, where most tweets cannot be stored: {WHAT_TO_DO}"


def refuse_other_encoding(postgres: PostgresConnection) -> None:
    """Raise `Failure` where the database is not in UTF-8."""
    fault = encoding_fault(postgres)
    if fault is not None:
        raise Failure(fault)
