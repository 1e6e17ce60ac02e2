"""The grammar of a tweet's text: as X has it, the same on both sides, and cheap for any text."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.parsing.tweet_context import TweetContext
from producers.rules.tweet_features import facts_of
from schemas.events import MAX_TEXT_CHARS
from schemas.tweet_text import (
    find_entities,
    find_hashtags,
    find_mentions,
    find_words,
    part_links,
)
from stream_processors.scoring.extraction import extract
from tests.unit.examples import posted

MOST_CPU_S = 0.5


def hashtags(text: str) -> list[str]:
    return find_hashtags(part_links(text).words)


def mentions(text: str) -> list[str]:
    return find_mentions(part_links(text).words)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a #tag, (#another). #1st #1 #_ ＃ｔａｇ１", ["tag", "another", "1st", "ｔａｇ１"]),
        ("word#no &#39; 日本語#no", []),
        ("❤️#love ☎︎#call", ["love", "call"]),
        ("#️⃣ and #⃣ are keycaps", []),
        ("#スター・ウォーズ #メ〜テレ", ["スター・ウォーズ", "メ〜テレ"]),
        ("#می\u200cخواهم #עַל־יְדֵי", ["می\u200cخواهم", "עַל־יְדֵי"]),
        ("#Repost・・・#tag #a··b #c·", ["repost", "tag", "a", "c"]),
        ("#one#two", ["one"]),
        ("example.org/#fragment https://example.org/#fragment https://t.co/a1#none", []),
        ("https://t.co/a1…#tag", ["tag"]),
    ],
)
def test_hashtags(text: str, found: list[str]) -> None:
    assert hashtags(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Ann .@bob (＠Cy) “@d”", ["ann", "bob", "cy", "d"]),
        ("の@annに ❤️@bob", ["ann", "bob"]),
        ("RT@ann rt:@bob Rt @cy start@no", ["ann", "bob", "cy"]),
        ("me@example.org a.b@example.org @a@b.example @@no", []),
        ("f!@kn f#@kn f$@kn f%@kn f&@kn f*@kn", []),
        ("@aliceìnheiro @http://example.org @x://y", []),
        ("@" + "a" * 20 + " @" + "b" * 21, ["a" * 20]),
        ("@ann/list @ann/7 blog.example/@no", ["ann", "ann"]),
    ],
)
def test_mentions(text: str, found: list[str]) -> None:
    assert mentions(text) == found


@pytest.mark.parametrize(
    ("text", "links", "words"),
    [
        (
            "see https://example.org/x. (http://example.org/y) HTTPS://Example.org:80/?a=1&b#c",
            ["https://example.org/x", "http://example.org/y", "HTTPS://Example.org:80/?a=1&b#c"],
            "see ( )",
        ),
        (
            "http://en.example.org/wiki/Primer_(film), “http://example.org/a”",
            ["http://en.example.org/wiki/Primer_(film)", "http://example.org/a"],
            "“ ”",
        ),
        (
            "https://t.co/pbY2NfTZ's https://t.co/abcです https://t.co/FNkPfmii-",
            ["https://t.co/pbY2NfTZ", "https://t.co/abc", "https://t.co/FNkPfmii"],
            "です",
        ),
        ("http://example.中国/русские_слова", ["http://example.中国/русские_слова"], ""),
        ("http://… http://t… http://no-tld http:// https://t,co/x", [], None),
        ("look:https://t.co/a1", ["https://t.co/a1"], "look:"),
    ],
)
def test_links_end_where_x_ends_them(text: str, links: list[str], words: str | None) -> None:
    parted = part_links(text)
    assert parted.links == links
    assert parted.words.split() == (text if words is None else words).split()


def test_words_are_of_any_script() -> None:
    assert find_words("don’t stop, naïve_1 早上 🚋!") == ["don", "t", "stop", "naïve_1", "早上"]


SIGNS = st.sampled_from(
    [*"#＃@＠/.:…() ・é字b1_&!❤", "https://t.co/a", "http://a.example/", "RT", "\ufe0f", "\u200d"]
)


@given(st.lists(SIGNS, max_size=60).map("".join))
def test_a_rule_sees_what_is_stored(text: str) -> None:
    tweet = posted(text=text)
    stored = extract(tweet, lambda _: None)
    seen = facts_of(tweet, TweetContext({}, frozenset()))
    assert set(stored.hashtags) == seen.hashtags
    assert set(stored.mentions) == seen.mentions
    assert bool(stored.links) == ("links" in seen.has)


@given(st.lists(SIGNS, max_size=60).map("".join))
def test_places_are_those_of_the_links_hashtags_and_mentions(text: str) -> None:
    places = find_entities(text)
    found = [text[start:end] for start, end in places]
    assert [each for each in found if each[0] not in "#＃@＠"] == part_links(text).links
    assert [each[1:].casefold() for each in found if each[0] in "#＃"] == hashtags(text)
    assert [each[1:].casefold() for each in found if each[0] in "@＠"] == mentions(text)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(places))


@pytest.mark.parametrize(
    "piece",
    [
        *["#", "＃", "#a", "#1", "#a#", "#\ufe0f", "❤️#a ", "#・", "#a・", "#\u0301", "\u0301", "-"],
        *["@", "a@", "rt@a ", "http://", "http://a.", "http://a.b/", "http://a.b/(", "a.", "(a)"],
        *["👨\u200d", "👨\u200d👩\u200d", "👍🏽\ufe0f\u200d", "🏴\U000e0067\U000e007f", "🇫🇷", "1️⃣"],
    ],
)
@pytest.mark.parametrize("start", ["", "#", "@", "http://a", "http://a.b/", "http://a.b/(", "🏴"])
def test_no_text_is_dear(start: str, piece: str) -> None:
    """The dearest was measured at 15 ms; what grows with the square takes minutes."""
    tweet = posted(text=(start + piece * MAX_TEXT_CHARS)[:MAX_TEXT_CHARS])
    began_s = time.process_time()
    extract(tweet, lambda _: None)
    facts_of(tweet, TweetContext({}, frozenset()))
    assert time.process_time() - began_s < MOST_CPU_S
