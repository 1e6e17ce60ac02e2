"""What is special about a browser: it sends the key as a cookie, and what other sites tell it to.

The cookie goes to the page alone, so that no other site's form can use the calls of programs.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

PAGE: Final = "/page"
"""Beneath it are the pages for people."""

COOKIE: Final = "murmur_key"


def is_page(path: str) -> bool:
    """Whether a path is one of the page's."""
    return path == PAGE or path.startswith(f"{PAGE}/")


def key_in_cookie(headers: Headers) -> str | None:
    """Return the key that a browser sends, or None."""
    for header in headers.getlist("cookie"):
        try:
            found = SimpleCookie(header).get(COOKIE)
        except CookieError:
            continue
        if found is not None and found.value:
            return found.value
    return None


def is_of_no_other_site(headers: Headers) -> bool:
    """Tell whether no page of another site had a browser send this; programs pass."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return _is_own(origin, headers)


def is_of_this_page(headers: Headers) -> bool:
    """Tell whether a page of ours had a browser send this; where nothing says so it is not."""
    origin = headers.get("origin")
    if origin is None:
        return headers.get("sec-fetch-site") == "same-origin"
    return _is_own(origin, headers)


def came_from_elsewhere(headers: Headers) -> bool:
    """Tell whether a link on another site led here: then a browser keeps its cookie back."""
    return headers.get("sec-fetch-site", "") in ("cross-site", "same-site")


def _is_own(origin: str, headers: Headers) -> bool:
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()
    except ValueError:
        return False
