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


def clean_1(text: str) -> str:
    """Version 1: strip, unescape HTML twice, links become `http`, mentions become `@user`."""
    text = text.strip()
    if "&" in text:
        text = html.unescape(html.unescape(text))
    if "http" in text:
        text = _LINK.sub("http", text)
    if "@" in text:
        text = _MENTION.sub("@user", text)
    return text


CLEANING: Final = MappingProxyType[str, Callable[[str], str]]({"1": clean_1})
"""Every version by the name that bundles and scores carry."""
