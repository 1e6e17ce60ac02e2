"""What the doctor found out about one thing."""

from typing import Literal

from msgspec import Struct

State = Literal["well", "note", "wrong"]


class Finding(Struct, frozen=True, kw_only=True):
    """One sentence about a subject, and what to do where something is to be done.

    `wrong` keeps Murmur from working, or soon will; a `note` does not.
    """

    subject: str
    state: State
    found: str
    advice: str = ""


def well(subject: str, found: str) -> Finding:
    """Return that something is as it has to be."""
    return Finding(subject=subject, state="well", found=found)


def note(subject: str, found: str, advice: str) -> Finding:
    """Return that something is worth knowing."""
    return Finding(subject=subject, state="note", found=found, advice=advice)


def wrong(subject: str, found: str, advice: str) -> Finding:
    """Return that something has to be mended."""
    return Finding(subject=subject, state="wrong", found=found, advice=advice)
