"""Templates to answers: escaped, with the headers that keep a page to itself."""

import gzip
import re
from collections.abc import Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from deploy.page.label_looks import look_of
from deploy.page.navigation import NAVIGATION
from deploy.page.reader import Reader, time_element
from deploy.page.static_files import StaticFile
from deploy.page.strings import Strings
from deploy.web.access.api_key import ApiKey
from deploy.web.access.browser import PAGE
from deploy.web.access.scopes import Scope
from schemas.escape_for_terminal import JOINERS, printable
from schemas.failures import Failure
from stream_processors.queries.http.parameters import moment_of

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # `no-referrer` would hide from us that a form is ours.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # A tweet that is removed may not come back from a browser's memory.
    "Cache-Control": "no-store",
    "Vary": "Accept-Encoding, Accept-Language, Cookie",
}
"""Of every page: nothing inline runs, nothing is asked of another host, no frame holds it."""

SENT_BY_HTMX: Final = "hx-request"
"""The header of what an open page asks for by itself, in place of a whole page."""

_LANGUAGE: Final = re.compile("[a-pr-z][a-z]{1,2}")
"""Codes that begin with q are X's own."""

_NO_LANGUAGE: Final = frozenset({"und", "zxx", "mul", "mis"})
_CODES_NOW: Final = {"in": "id", "iw": "he", "ji": "yi"}
_GZIP_LEVEL: Final = 4
_GZIPPED: Final = {"Content-Encoding": "gzip"}
_TEMPLATES: Final = Path(__file__).parent / "templates"


class Pages:
    """Renders templates with what all of them know.

    Besides their own values these are `say` (a sentence by its name), `static` (a file's address),
    `reader` (who reads: `number`, `percent`, `points`), `key` (the key of who asks, or None),
    `may(scope)`, `quoted` (a part of a path), and the filters `number`, `percent`, `points`,
    `time`, `name` (of a rule or hashtag: no character in it is hidden), `lang` (of a tweet's
    language: the attribute) and `utc_minute` (of a moment as it was written, for a field).
    """

    def __init__(self, files: Mapping[str, StaticFile], strings: Strings) -> None:
        self.strings = strings
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "page": PAGE,
            "navigation": NAVIGATION,
            "scopes": tuple(Scope),
            "say": strings.say,
            "static": lambda name: files[name].address,
            "look_of": look_of,
            "quoted": lambda part: quote(part, safe=""),
        }
        self._environment.filters |= {
            "number": _number,
            "percent": _percent,
            "points": _points,
            "time": time_element,
            "name": shown_name,
            "lang": lang_attribute,
            "utc_minute": utc_minute,
        }

    def html(self, request: Request, template: str, **values: Any) -> Markup:
        """Return what a template makes of these values."""
        key: ApiKey | None = getattr(request.state, "key", None)
        return Markup(  # noqa: S704  every value in it was escaped
            self._environment.get_template(template).render(
                reader=Reader(request.headers.get("accept-language", "")),
                key=key,
                may=lambda scope: key is None or scope in key.scopes,
                address=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
                **values,
            )
        )

    def answer(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a page."""
        return page_answer(request, self.html(request, template, **values), status)


def page_answer(
    request: Request, html: str, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return HTML as an answer with the headers of every page, smaller where the browser can."""
    content, encoding = html.encode(), {}
    if "gzip" in request.headers.get("accept-encoding", ""):
        # No page holds a secret beside what its address says, so that its size may tell.
        content, encoding = gzip.compress(content, _GZIP_LEVEL, mtime=0), _GZIPPED
    return Response(
        content,
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={**HEADERS, **encoding, **(headers or {})},
    )


def shown_name(name: str) -> str:
    """Return a name without what hides or turns characters; joiners belong to emoji and scripts."""
    return printable(name, keep=JOINERS) if name.strip(JOINERS) else printable(name)


def lang_attribute(language: str | None) -> Markup:
    """Return the attribute by which a voice reads a text in its language; empty: not known."""
    code = _CODES_NOW.get(language or "", language or "")
    if not _LANGUAGE.fullmatch(code) or code in _NO_LANGUAGE:
        return Markup()
    return Markup(' lang="{}"').format(code)


def utc_minute(moment: str | None) -> str:
    """Return a moment as a field of the type `datetime-local` takes it; empty for none."""
    try:
        found = moment_of(moment)
    except Failure:
        return ""
    return "" if found is None else f"{found.astimezone(UTC):%Y-%m-%dT%H:%M}"


@jinja2.pass_context
def _number(context: jinja2.runtime.Context, value: float, places: int = 0) -> str:
    return _reader(context).number(value, places)


@jinja2.pass_context
def _percent(context: jinja2.runtime.Context, share: float, places: int = 0) -> str:
    return _reader(context).percent(share, places)


@jinja2.pass_context
def _points(context: jinja2.runtime.Context, difference: float, places: int = 1) -> str:
    return _reader(context).points(difference, places)


def _reader(context: jinja2.runtime.Context) -> Reader:
    reader: Reader = context["reader"]
    return reader
