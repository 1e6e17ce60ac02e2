"""Promotions as a table for people."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from retrain.promotion.promotions import Promotion
from schemas.escape_for_terminal import shown
from schemas.model_events import ALL_WEIGHTS
from schemas.terminal import plain_table


def promotions_table(found: Sequence[Promotion]) -> Table:
    """Return the promotions, the last one first; the first line serves."""
    table = plain_table("", "model", "version", "hash", "promoted", "why", whole=("hash",))
    for place, each in enumerate(found):
        model = each.event.champion
        why = each.event.decision
        if each.published_at is None:
            why = f"{why} (not told to Kafka yet: `murmur models promote` or `rollback` does it)"
        for other in each.event.models[1:]:
            share = 100 * other.weight / ALL_WEIGHTS
            why = f"{why} ({share:g} % to {other.name} {other.version}, {other.sha256[:12]})"
        table.add_row(
            "serves" if place == 0 else "",
            Text(shown(model.name)),
            Text(shown(model.version)),
            model.sha256[:12],
            f"{each.event.promoted_at:%Y-%m-%d %H:%M:%S} UTC",
            Text(shown(why)),
        )
    return table
