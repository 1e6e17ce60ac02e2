"""Normalising a text for the model: pure, and versioned with the bundles that were trained on it.

A version is never changed and stays for as long as a kept bundle names it: a model that is shown
texts cleaned in another way than in its training gives other answers.
"""

import html
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Final

_LINK = re.compile(r"https?://\S+")
_MENTION = re.compile(r"@\w+")
# Python refuses to read a number of so many digits; no character has one.
_NUMBER_OF_NO_CHARACTER = re.compile(r"&#[0-9]{4000,};?")


def clean_1(text: str) -> str:
    """Version 1: strip, unescape HTML twice, links become `http`, mentions become `@user`."""
    text = text.strip()
    if "&" in text:
        text = _unescape(_unescape(text))
    if "http" in text:
        text = _LINK.sub("http", text)
    if "@" in text:
        text = _MENTION.sub("@user", text)
    return text


def _unescape(text: str) -> str:
    return html.unescape(_NUMBER_OF_NO_CHARACTER.sub("\ufffd", text))


CLEANING: Final = MappingProxyType[str, Callable[[str], str]]({"1": clean_1})
"""Every version by the name that bundles and scores carry."""
