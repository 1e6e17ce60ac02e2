"""An override: a label that a team gives to texts with a phrase, whatever the model says."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from model_server.known_languages import language_known
from model_server.overrides.phrase import Phrase, UnusablePhrase, parse_phrase, phrase_words

_Text = Annotated[str, Meta(min_length=1, max_length=1_000)]


class OverrideTests(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts that the override changes, and texts like them that it must leave alone."""

    changes: Annotated[tuple[_Text, ...], Meta(min_length=1)]
    leaves: Annotated[tuple[_Text, ...], Meta(min_length=1)]


class Override(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of the file. Without `languages` and `rules` it concerns every text.

    With them a text has to be in one of the languages (BCP 47; region does not count), and to
    match one of the rules, by tag. `name` stands on each row that it changes.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    pattern: _Text
    label: _Text
    reason: _Text
    tests: OverrideTests
    languages: tuple[_Text, ...] = ()
    rules: tuple[_Text, ...] = ()


@dataclass(frozen=True)
class Overrides:
    """Overrides in the order of their file; `version` changes with what they say, not its form."""

    entries: tuple[tuple[Override, Phrase], ...]
    version: str

    @property
    def short_version(self) -> str:
        """The version as rows name it."""
        return self.version[:16]

    @classmethod
    def of(cls, overrides: Sequence[Override]) -> "Overrides":
        """Return overrides with their phrases; raise `UnusablePhrase`, which names the override."""
        entries = []
        for override in overrides:
            try:
                entries.append((override, parse_phrase(override.pattern)))
            except UnusablePhrase as fault:
                raise UnusablePhrase(f"{override.name}: {fault}") from None
        version = hashlib.sha256(msgspec.json.encode(list(overrides))).hexdigest()
        return cls(tuple(entries), version)

    def with_phrase_in(self, text: str) -> list[Override]:
        """Return those whose phrase stands in a text, whatever its language and rules, in order."""
        if not self.entries:
            return []
        found = phrase_words(text)
        return [override for override, phrase in self.entries if phrase.stands_in(found)]

    def override_for(
        self, text: str, language: str | None, rules: Sequence[str]
    ) -> Override | None:
        """Return the first override that concerns a text, None where none does."""
        if not self.entries:
            return None
        found = phrase_words(text)
        for override, phrase in self.entries:
            if _concerns(override, language, rules) and phrase.stands_in(found):
                return override
        return None


def _concerns(override: Override, language: str | None, rules: Sequence[str]) -> bool:
    if override.languages and not language_known(language, override.languages):
        return False
    return not override.rules or not set(override.rules).isdisjoint(rules)


def failed_tests(overrides: Overrides) -> Iterator[str]:
    """Yield a sentence for each test that does not hold.

    A test's text is taken for one in the override's first language that matches all of its rules.
    """
    for override, _ in overrides.entries:
        language = override.languages[0] if override.languages else None
        for number, text in enumerate(override.tests.changes, start=1):
            found = overrides.override_for(text, language, override.rules)
            if found is None:
                yield f"{override.name}: text {number} of `changes` does not have the pattern"
            elif found is not override:
                yield f"{override.name}: text {number} of `changes` is changed by {found.name}"
        for number, text in enumerate(override.tests.leaves, start=1):
            if overrides.override_for(text, language, override.rules) is override:
                yield f"{override.name}: text {number} of `leaves` has the pattern"
