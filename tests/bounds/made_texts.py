"""Texts as people write them, at random, and texts made to be costly."""

import random
from collections.abc import Iterator
from typing import Final

from schemas.events import MAX_TEXT_CHARS

_WORDS: Final = (
    *("good", "bad", "tram", "#city", "@you", "https://t.co/a", "😀", "мир", "今日", "&amp;", "€5"),
    *("…", "\n", "\u200d", "it's", "☔", "1,5", "%"),
)
PATTERNS: Final = (
    *("a", " ", "\n", "\t", "1", "1,", "a ", ". ", "!", "?!", "'", '"', "\\", "/", "<", "<a>", "_"),
    *("#", "#a", "#a ", "##", "#1", "@", "@a", "@a ", "@a@", "$", "$A ", "&", "&a", "&amp;"),
    *("&amp;#", "&#38;", "&#x26;", "&#1;", "&lt;", "&amp;amp;", "&;", "&#", "&#00000038;"),
    *("http", "http://", "https://t.co/a ", "https://a", "https:// ", "www.a.b ", "a.b.c", "://"),
    *("é", "e\u0301", "\u0301", "ß", "İ", "ﬁ", "Ω", "мир ", "сло", "漢", "漢字 ", "あ", "한", "กา"),
    *("السلام ", "ا", "\u0640", "\u0651", "हि", "\u094d", "\u200c", "\u200d", "\u200e", "\u202e"),
    *("\u2066", "\ufeff", "\u00a0", "\u2028", "\u3000", "\ufffd", "\U0010ffff", "\ue000"),
    *(
        "😀",
        "😀 ",
        "😀\u200d",
        "😂\u200d😡",
        "👩\u200d",
        "👨\u200d👩\u200d👧\u200d",
        "👩🏻\u200d❤️\u200d",
    ),
    *("🏻", "🏻\u200d", "❤", "❤️", "🇩", "🇩🇪", "🇩🇪🇩", "🏴\U000e0067", "\U000e007f", "1\ufe0f"),
    *("1\ufe0f\u20e3", "#\ufe0f\u20e3", "\ufe0f", "\ufe0e", "\u20e3", "🫠", "☔", "©", "™️"),
    *("RT @a: ", "a\u0335", "z\u0300\u0301\u0302\u0303", "aA", "Aa0", "a-", "--", "…", "—", "“a” "),
)
ENDINGS: Final = ("", "x", " #a https://t.co/b @c 😀")


def random_texts(count: int, seed: int) -> Iterator[str]:
    """Yield texts of words, signs and characters of any script."""
    chance = random.Random(seed)
    for _ in range(count):
        length = chance.choice((3, 12, 30, 80, 400))
        parts = [
            chance.choice(_WORDS) if chance.random() < 0.9 else chr(chance.randrange(1, 0xD7FF))
            for _ in range(length)
        ]
        yield chance.choice((" ", "", " ")).join(parts)[:MAX_TEXT_CHARS] or "x"


def costly_texts(count: int) -> Iterator[str]:
    """Yield the longest texts that are one pattern, again and again, whatever their end."""
    made = 0
    for ending in ENDINGS:
        for pattern in PATTERNS:
            if made == count:
                return
            made += 1
            room = MAX_TEXT_CHARS - len(ending)
            yield (pattern * (room // len(pattern) + 1))[:room] + ending
