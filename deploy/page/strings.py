"""Every sentence of the page, from one file, so that it can be translated."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_ENGLISH: Final = Path(__file__).parent / "strings.toml"


class Strings:
    """Sentences by their name, `section.name`; what stands in braces is filled in."""

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = sentences

    def say(self, name: str, /, **values: Any) -> str:
        """Return a sentence; plain text, which a template escapes like any other.

        With a value `count` of 1 it is the sentence `name_one`, where there is one. Raises
        `KeyError` for a name that is not in the file.
        """
        if values.get("count") == 1 and f"{name}_one" in self._sentences:
            name = f"{name}_one"
        sentence = self._sentences[name]
        return sentence.format_map(values) if values else sentence

    def names(self) -> frozenset[str]:
        """Return the names of all sentences."""
        return frozenset(self._sentences)


def read_strings(path: Path = _ENGLISH) -> Strings:
    """Return the sentences of a file."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return Strings(
        {
            f"{section}.{name}": text
            for section, entries in document.items()
            for name, text in entries.items()
        }
    )
