"""The grammar of a tweet's text: links, hashtags, mentions, words. Pure, and linear in the text.

Source: X's own twitter-text, https://github.com/twitter/twitter-text (`js/src/regexp/`,
`conformance/extract.yml`). On purpose otherwise than there:

- A link begins with `http://` or `https://`, wherever that stands, and every domain with a dot
  will do. X writes all links so, and no list of domains has to be kept.
- What stands right behind a slash is no hashtag and no mention. It may belong to a link without
  `https://`.
- `#one#two` has the hashtag `one`; X has none there.
- Signs that may stand within a hashtag, as the dot of `#スター・ウォーズ`, do so singly between
  letters. X takes a row of them too, so that `・・・#tag`, as Instagram writes, is no hashtag.
- A name of more than 20 characters is no mention; X takes its first 20.
- `@name/list` mentions `name`; X takes it for a list.

Cashtags are read nowhere: a rule with one is refused by name.
"""

import re
from typing import Final, NamedTuple

import regex

_ACCENTED_LATIN: Final = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f"
    "\u0272\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)

# Possessive, so that no text is looked at twice.
_DOMAIN: Final = r"[\p{L}\p{M}\p{N}_\-]++(?:\.[\p{L}\p{M}\p{N}_\-]++)++"
_IN_LINK: Final = rf"[A-Za-z0-9{_ACCENTED_LATIN}\u0400-\u04ff!*';:=+,.$/%#\[\]\-\u2013_~@|&?]"
_LINK: Final = regex.compile(
    rf"([Hh][Tt][Tt][Pp][Ss]?://{_DOMAIN}(?::[0-9]++)?+"
    rf"(?:[/?#](?:{_IN_LINK}++|\({_IN_LINK}*+\))*+)?+)"
)
_SHORTENED: Final = re.compile(r"https?://t\.co/[a-z0-9]+", re.IGNORECASE | re.ASCII)
_NEVER_LAST_IN_LINK: Final = "!*';:,.$%[]\u2013~@|&?"

_IN_HASHTAG: Final = r"\p{L}\p{M}\p{Nd}_"
# Between two of these: joiners, the middle dot, and signs of Japanese, Hebrew and Tibetan.
_WITHIN_HASHTAG: Final = (
    "\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c"
    "\u00b7"
)
# Has a letter, does not continue a word, is no HTML entity's number. The selector that ends an
# emoji (U+FE0E, U+FE0F) is a mark, but of no word; behind the sign it makes the sign a keycap.
_HASHTAG: Final = regex.compile(
    r"(?V1)(?<![\p{L}[\p{M}--[\ufe0e\ufe0f]]\p{Nd}_\u200c\u200d\&/])[#＃](?![\ufe0f\u20e3])"
    rf"([\p{{Nd}}_]*+[\p{{L}}\p{{M}}][{_IN_HASHTAG}]*+"
    rf"(?:[{_WITHIN_HASHTAG}][{_IN_HASHTAG}]++)*+)"
)

# Continues no word or mail address, unless the word is RT.
_MENTION: Final = re.compile(
    r"[@＠](?<![A-Za-z0-9_!#$%&*@＠/](?<!(?<![A-Za-z0-9_+~.\-])[Rr][Tt]).)"
    rf"([A-Za-z0-9_]{{1,20}}+)(?![A-Za-z0-9_@＠{_ACCENTED_LATIN}]|://)"
)

_WORD: Final = regex.compile(r"[\p{L}\p{M}\p{N}_]+")


class Links(NamedTuple):
    """The links of a text in order, without the punctuation behind them, and the text without them.

    `words` has a space for each link: hashtags, mentions and words stand there, for the fragment of
    a link is no hashtag.
    """

    links: list[str]
    words: str


def part_links(text: str) -> Links:
    """Part the links of a text from its words."""
    if "://" not in text:
        return Links([], text)
    pieces = _LINK.split(text)
    return Links([_link(found) for found in pieces[1::2]], " ".join(pieces[::2]))


def find_hashtags(words: str) -> list[str]:
    """Return the hashtags of a text without links, in order.

    They come without their sign and in lower case (`casefold`), since X treats them so.
    """
    if "#" not in words and "＃" not in words:
        return []
    return [tag.casefold() for tag in _HASHTAG.findall(words)]


def find_mentions(words: str) -> list[str]:
    """Return the names that a text without links mentions, in order, without their sign.

    They come in lower case, since X treats them so.
    """
    if "@" not in words and "＠" not in words:
        return []
    return [name.casefold() for name in _MENTION.findall(words)]


def find_entities(text: str) -> list[tuple[int, int]]:
    """Return where links, hashtags and mentions stand in a text, in order, with their signs.

    Each is a start and an end, in characters. They are those that `part_links`, `find_hashtags` and
    `find_mentions` return, and none overlaps another.
    """
    links = []
    words = text
    if "://" in text:
        links = [(m.start(), m.start() + len(_link(m[0]))) for m in _LINK.finditer(text)]
        words = _LINK.sub(lambda m: " " * len(m[0]), text)
    others = [m.span() for pattern in (_HASHTAG, _MENTION) for m in pattern.finditer(words)]
    return sorted(links + others)


def begins_with_mention(text: str) -> bool:
    """Whether the first thing in a text is the sign of a mention, as in a reply."""
    return text.lstrip().startswith(("@", "＠"))


def find_words(text: str) -> list[str]:
    """Return the words of a text: letters, marks, digits and underscores of any script."""
    words: list[str] = _WORD.findall(text)
    return words


def _link(found: str) -> str:
    shortened = _SHORTENED.match(found)
    return found.rstrip(_NEVER_LAST_IN_LINK) if shortened is None else shortened[0]
