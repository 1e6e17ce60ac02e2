"""Keys as a table for people."""

from collections.abc import Sequence
from datetime import datetime

from rich.table import Table
from rich.text import Text

from deploy.web.access.api_key import ApiKey
from schemas.escape_for_terminal import shown
from schemas.terminal import plain_table


def keys_table(found: Sequence[ApiKey]) -> Table:
    """Return the keys as `murmur keys list` shows them."""
    table = plain_table("id", "name", "scopes", "made", "last used, hour", "revoked", whole=("id",))
    for key in found:
        table.add_row(
            key.key_id,
            Text(shown(key.name)),
            ", ".join(scope.value for scope in key.scopes),
            _moment(key.created_at),
            _moment(key.last_used_at),
            _moment(key.revoked_at),
        )
    return table


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
