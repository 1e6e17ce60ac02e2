"""Whether a model knows the language of a text."""

from collections.abc import Collection
from typing import Final

_NO_LANGUAGE: Final = frozenset(["und", "zxx", "mul", "mis", "qam", "qct", "qht", "qme", "qst"])
"""Undetermined, no words, several, uncoded, and X's marks for what has no words (ISO 639-2)."""

_WITHDRAWN: Final = {"in": "id", "iw": "he", "ji": "yi"}
"""Codes of ISO 639-1 before 1989, which X and Java still use."""


def language_known(language: str | None, known: Collection[str]) -> bool | None:
    """Tell whether a language is one of a model's; None where either is not determined.

    Codes are BCP 47: region and script do not count, so that `pt-BR` is known where `pt` is.
    """
    if not language or not known:
        return None
    if language in known:
        return True
    wanted = _primary(language)
    if wanted in _NO_LANGUAGE:
        return None
    return any(_primary(code) == wanted for code in known)


def _primary(code: str) -> str:
    primary = code.replace("_", "-").partition("-")[0].lower()
    return _WITHDRAWN.get(primary, primary)
