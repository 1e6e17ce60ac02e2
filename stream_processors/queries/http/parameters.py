"""What the calls take in their query, and the choice of tweets that it means."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import StringConstraints

from model_server.http.problems import Refused
from schemas.time_option import parse_moment
from stream_processors.aggregates.aggregates import Selection
from stream_processors.aggregates.time_windows import possible
from stream_processors.queries.export_rows import Choice

_MOST_VALUES = 50
_MOST_CHARS = 200

Name = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_CHARS)]
Run = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=_MOST_CHARS,
        description="Name of the run. Default: `live` if it has tweets, else the run that changed "
        "last.",
    ),
]
Start = Annotated[
    str | None,
    Query(
        alias="from",
        max_length=_MOST_CHARS,
        description="First moment that counts: 2026-11-21, 2026-11-21T10:30 or 2h (ago). UTC "
        "unless it says.",
    ),
]
End = Annotated[
    str | None,
    Query(
        alias="to",
        max_length=_MOST_CHARS,
        description="First moment that no longer counts, as `from`.",
    ),
]
_Names = list[Name] | None


def selection(
    rule: Annotated[_Names, Query(description="Only tweets of this rule.")] = None,
    label: Annotated[_Names, Query(description="Only tweets with this label.")] = None,
    language: Annotated[_Names, Query(description="Only tweets in this language (en, de).")] = None,
) -> Selection:
    """Return which tweets are meant; each parameter may be repeated."""
    for values in (rule, label, language):
        if values is not None and len(values) > _MOST_VALUES:
            raise Refused(
                422, "invalid", "A parameter is wrong.", f"At most {_MOST_VALUES} of one are taken."
            )
    return Selection(
        rules=tuple(dict.fromkeys(rule or ())),
        labels=tuple(dict.fromkeys(label or ())),
        languages=tuple(dict.fromkeys(each.lower() for each in language or ())),
    )


ChosenTweets = Annotated[Selection, Depends(selection)]


def choice(selected: ChosenTweets, start: Start = None, end: End = None) -> Choice:
    """Return which tweets are meant, by when they were posted too; raise `InvalidMoment`."""
    return Choice(selected, possible(moment_of(start)), possible(moment_of(end)))


TweetChoice = Annotated[Choice, Depends(choice)]


def moment_of(text: str | None) -> datetime | None:
    """Return the moment that a text names, as the commands read it; raise `InvalidMoment`."""
    return None if text is None else parse_moment(text, datetime.now(UTC))
