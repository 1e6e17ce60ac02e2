"""Texts as the model reads them, and as they are compared."""

from collections.abc import Iterable

from model_server.cleaning import CLEANING, clean_1


class CleanedTexts:
    """Cleans texts for a model and remembers how each reads in version 1 of the cleaning.

    Whether two texts are nearly the same is judged by that one, whatever the model reads: in later
    versions emoji are words, and one more or less would make a copy a text of its own.
    """

    def __init__(self, cleaning: str) -> None:
        self._clean = CLEANING[cleaning]
        self._plain: dict[str, str] = {}

    def clean(self, text: str) -> str:
        """Return a text as the model reads it."""
        cleaned = self._clean(text)
        self._plain.setdefault(cleaned, clean_1(text))
        return cleaned

    def plain(self, cleaned: Iterable[str]) -> list[str]:
        """Return texts that were cleaned here as they are compared."""
        return [self._plain[text] for text in cleaned]
