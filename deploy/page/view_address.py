"""What a page shows, as its address holds it: whoever is sent the address sees the same."""

from collections.abc import Iterable
from typing import Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from deploy.web.access.browser import PAGE
from model_server.http.problems import Refused
from schemas.events import LIVE
from stream_processors.aggregates.aggregates import Selection

Measure = Literal["shares", "counts"]
WINDOWS: Final = ("1h", "6h", "1d", "7d", "30d", "all")
_MOST_CHARS: Final = 200
_MOST_VALUES: Final = 50


class ViewAddress(Struct, frozen=True, kw_only=True):
    """The run, the span of time and the choice of tweets; parameters are those of the service.

    `start` and `end` are as they were written. `is_live` is whether the page renews its figures.
    """

    run: str | None = None
    window: str | None = None
    start: str | None = None
    end: str | None = None
    rules: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    measure: Measure = "shares"
    is_live: bool = True

    @property
    def selection(self) -> Selection:
        """Which tweets are counted; hashtags are no part of it."""
        return Selection(rules=self.rules, labels=self.labels, languages=self.languages)

    @property
    def is_a_span(self) -> bool:
        """Whether it says from when to when."""
        return self.start is not None or self.end is not None

    def changed(self, **changes: Any) -> "ViewAddress":
        """Return the address with other values; a window and a span exclude each other."""
        if changes.get("window"):
            changes |= {"start": None, "end": None}
        elif changes.get("start") or changes.get("end"):
            changes["window"] = None
        return msgspec.structs.replace(self, **changes)

    def query(self) -> list[tuple[str, str]]:
        """Return the parameters, without those that say nothing."""
        pairs: list[tuple[str, str | None]] = [
            ("run", self.run),
            ("window", self.window),
            ("from", self.start),
            ("to", self.end),
            *(("rule", rule) for rule in self.rules),
            *(("label", label) for label in self.labels),
            *(("language", language) for language in self.languages),
            *(("hashtag", hashtag) for hashtag in self.hashtags),
            ("show", self.measure if self.measure != "shares" else None),
            ("live", None if self.is_live else "off"),
        ]
        return [(name, value) for name, value in pairs if value is not None]

    def at(self, path: str = "", more: Iterable[tuple[str, str]] = (), **changes: Any) -> str:
        """Return the address of a page beneath the page's own, with this view or a changed one."""
        pairs = [*(self.changed(**changes) if changes else self).query(), *more]
        return f"{PAGE}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def with_default_window(self, run: str) -> "ViewAddress":
        """Return it with its run, and a window where none was asked for."""
        window = self.window
        if window is None and not self.is_a_span:
            window = "1d" if run == LIVE else "all"
        return msgspec.structs.replace(self, run=run, window=window)


def view_of(parameters: QueryParams) -> ViewAddress:
    """Return what an address asks for; raise `Refused` for values that are too long or too many."""

    def one(name: str) -> str | None:
        value = parameters.get(name, "").strip()
        if len(value) > _MOST_CHARS:
            raise Refused(422, "invalid", "A parameter is wrong.", f"{name} is too long.")
        return value or None

    def many(name: str) -> tuple[str, ...]:
        values = tuple(dict.fromkeys(each for each in parameters.getlist(name) if each))
        if len(values) > _MOST_VALUES or any(len(value) > _MOST_CHARS for value in values):
            raise Refused(422, "invalid", "A parameter is wrong.", f"{name} holds too much.")
        return values

    start, end = one("from"), one("to")
    return ViewAddress(
        run=one("run"),
        window=None if start or end else one("window"),
        start=start,
        end=end,
        rules=many("rule"),
        labels=many("label"),
        languages=tuple(language.lower() for language in many("language")),
        hashtags=many("hashtag"),
        measure="counts" if one("show") == "counts" else "shares",
        is_live=one("live") != "off",
    )
