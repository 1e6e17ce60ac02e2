"""Normalising a text for the model: pure, and versioned with the bundles that were trained on it.

A version is never changed and stays for as long as a kept bundle names it: a model that is shown
texts cleaned in another way than in its training gives other answers.
"""

import html
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

import emoji

from model_server.emoji_spans import emoji_spans

_LINK = re.compile(r"https?://\S+")
_MENTION = re.compile(r"@\w+")
# Python refuses to read a number of so many digits; no character has one.
_NUMBER_OF_NO_CHARACTER = re.compile(r"&#[0-9]{4000,};?")
_SKIN_TONE: Final = re.compile(r"(?:^|_)(?:medium-)?(?:light|medium|dark)_skin_tone")
_OF_EMOJI: Final = frozenset("".join(emoji.EMOJI_DATA)).difference(map(chr, range(128)))
_HEARTS: Final = frozenset("♥❣❤💓💕💖💗💘💙💚💛💜💝💞💟🖤🤍🤎🧡🩵🩶🩷")


def clean_1(text: str) -> str:
    """Version 1: strip, unescape HTML twice, links become `http`, mentions become `@user`."""
    text = text.strip()
    if "&" in text:
        for _ in range(2):
            text = html.unescape(_NUMBER_OF_NO_CHARACTER.sub("\ufffd", text))
    if "http" in text:
        text = _LINK.sub("http", text)
    if "@" in text:
        text = _MENTION.sub("@user", text)
    return text


def clean_2(text: str) -> str:
    """Version 2: as version 1, and emoji become words.

    The words are CLDR's short name in English, once for a row of the same, without tones of skin:
    a word-piece model knows no emoji by itself, and takes a kiss and a rage for the same unknown.
    Hearts become `<3`, by which people say the same in letters: the words "red heart" say less.
    """
    text = clean_1(text)
    if text.isascii():
        return text
    # A look at every character is slow, and most texts have no emoji.
    return text.strip() if _OF_EMOJI.isdisjoint(text) else _emoji_spelled(text)


def _emoji_spelled(text: str) -> str:
    pieces = []
    before, at = "", 0
    for start, end in emoji_spans(text):
        between = text[at:start].strip()
        name = _name_of(text[start:end])
        if between or name != before:
            pieces += [between, name]
        before, at = name, end
    return " ".join(filter(None, [*pieces, text[at:].strip()]))


def _name_of(character: str) -> str:
    if character.rstrip("\ufe0f") in _HEARTS:
        return "<3"
    name: str = emoji.EMOJI_DATA[character]["en"]
    return _SKIN_TONE.sub("", name.strip(":")).replace("_", " ")


CLEANING: Final = MappingProxyType[str, Callable[[str], str]]({"1": clean_1, "2": clean_2})
"""Every version by the name that bundles and scores carry."""
