"""The name of a run that nobody has named."""

import re
from pathlib import Path

from schemas.events import LIVE

_ENDINGS = re.compile(r"(\.(json|jsonl|ndjson|csv|tsv|txt|js|parquet|tar|zip))?(\.(gz|bz2|zst))?$")
_MAX_CHARS = 63


def run_name_of(path: Path) -> str:
    """Return a valid run name made from a file's name, without the endings of its format."""
    stem = _ENDINGS.sub("", path.name.lower(), count=1)
    name = re.sub(r"[^a-z0-9._-]+", "-", stem).lstrip("._-")[:_MAX_CHARS]
    return name if name and name != LIVE else "replay"
