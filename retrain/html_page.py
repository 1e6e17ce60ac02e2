"""The frame of every HTML page: no script, nothing fetched, every text escaped."""

from collections.abc import Iterable
from html import escape
from typing import Final

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #222; background: #fff }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child { text-align: left }
small { color: #555 }
figure { display: inline-block; margin: 0 1rem 1rem 0; vertical-align: top }
figure svg { width: 26rem; max-width: 100%; height: auto }
code { overflow-wrap: anywhere }
"""


def html_page(title: str, parts: Iterable[str]) -> str:
    """Return a page. The title is a text; the parts are HTML whose texts are escaped already."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>\n"
    )


def html_table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of texts, which are escaped here."""
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
