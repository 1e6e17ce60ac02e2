"""A label as a file has it, and why one cannot be used."""

from enum import StrEnum
from typing import Final, NamedTuple

TWEET_ID_NAMES: Final = ("root_id", "tweet_id", "id")
"""Where a tweet's id stands, the first of them that has one."""


class Fault(StrEnum):
    """Why a row of a file is not stored."""

    NO_ID = "no tweet id"
    ROUNDED_ID = "id rounded by a spreadsheet"
    NO_LABEL = "no label"
    MANY_LABELS = "more than one label"
    SPANS = "labels of parts of the text"
    BAD_TIME = "labelled_at is not a valid time"
    BAD_VERSION = "version is not a number below 100"
    BAD_REPEAT = "repeat is neither 0 nor 1"
    CANCELLED = "skipped by the labeller"
    UNREADABLE = "not as this format describes it"
    UNKNOWN_TWEET = "no such tweet in the run"
    UNKNOWN_VERSION = "that version of the tweet is not stored"
    UNKNOWN_LABEL = "no label of the run's models"
    REPEATED = "the same label once more"
    CONFLICTING = "two labels by one person in this file"
    DIFFERS = "another label is stored (--replace takes the new one)"
    ANSWER_SHOWN = "an audit whose task showed the model's answer"


class FileRow(NamedTuple):
    """A row as its format has it; empty text for what is missing.

    `place` says where it stands: `line 7`, `task 3`. `origin` is the one that an export of Murmur
    gave it. With `fault` nothing else is sure.
    """

    place: str
    tweet_id: str = ""
    label: str = ""
    labeller: str = ""
    labelled_at: str = ""
    version: str = ""
    origin: str = ""
    repeat: str = ""
    answer_shown: bool = False
    fault: Fault | None = None
