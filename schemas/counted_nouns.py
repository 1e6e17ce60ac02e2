"""How many of what, in words: `1 tweet`, `2,140 tweets`."""


def number_of(count: int, noun: str) -> str:
    """Return a count with its noun, whose plural ends in `s`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
