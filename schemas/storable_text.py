"""Text from outside as PostgreSQL can hold it."""

from typing import Annotated, TypeAlias

from msgspec import Meta

StorableName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\\x00]*$")]
"""A name that a request may ask PostgreSQL for: without NUL."""


def storable_text(text: str) -> str:
    """Return the text with U+FFFD for NUL, and `?` for half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
