"""X's API v2: JSON lines, pages over many lines, and arrays of tweets."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from producers.formats.archive_format import ArchiveFormat, FormatOptions
from producers.formats.json_documents import document_reader
from producers.formats.json_sniffing import first_lines, json_layout
from producers.formats.v2_pages import tweets_of_page
from producers.parsing.provenance import Origin, Parsed
from producers.x_api.v2_documents import parse_document

_X_FIELDS: Final = frozenset(
    [
        "id",
        "text",
        "article",
        "article_title",
        "attachments",
        "author_id",
        "card_uri",
        "community_id",
        "context_annotations",
        "conversation_id",
        "created_at",
        "data",
        "display_text_range",
        "edit_controls",
        "edit_history_tweet_ids",
        "edit_history_post_ids",
        "entities",
        "errors",
        "geo",
        "in_reply_to_user_id",
        "includes",
        "lang",
        "matched_media_notes",
        "matching_rules",
        "media_metadata",
        "meta",
        "non_public_metrics",
        "note_tweet",
        "note_post",
        "organic_metrics",
        "possibly_sensitive",
        "promoted_metrics",
        "public_metrics",
        "referenced_tweets",
        "referenced_posts",
        "reply_settings",
        "scopes",
        "source",
        "suggested_source_links",
        "username",
        "withheld",
    ]
)
"""The fields of a tweet and of what holds it; a file with others was made by somebody else."""

MAX_PAGE_BYTES: Final = 64 * 1024 * 1024
"""A page is read whole, since what it includes stands behind what that completes; of a larger one
no tweet is read."""


def parse_placed(
    raw: bytes, origin: Origin, received_at: datetime, line: int, place: int
) -> Parsed:
    """Return what a document holds; one that begins on another's line has ids of its own."""
    if place:
        origin = replace(origin, content=f"{origin.content}:{place}")
    return parse_document(raw, origin, received_at, line)


def _recognises(beginning: bytes, _options: FormatOptions) -> bool:
    # One of the first lines may well be broken; that must not hide what the file is.
    return first_lines(beginning)[0].startswith(b"{") or bool(json_layout(beginning).objects)


X_V2: Final = ArchiveFormat(
    "x-v2",
    "X API v2: JSON lines, pages, or arrays of tweets",
    _recognises,
    lambda beginning, _options: document_reader(
        beginning, parse_placed, MAX_PAGE_BYTES, known_fields=_X_FIELDS, take_apart=tweets_of_page
    ),
)
