"""Texts of tweets from templates."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from deploy.demo.vocabulary import ASIDES, ENDINGS, OTHER_LANGUAGES, TOPICS, WORDS, Topic

_MOODS: Final = ("positive", "neutral", "negative")
_OTHER_LANGUAGE_SHARE: Final = 0.06
_ASIDE_SHARE: Final = 0.05
_LONG_SHARE: Final = 0.01
_TRIES: Final = 1_000
_SHIFT_RULE: Final = "coffee"
_SHIFT_HASHTAG: Final = "BrewGate"
_SHIFT_MOOD: Final = (0, 1, 9)
_SHIFT_TIMES: Final = 4
"""On the last day so many times as many speak of coffee, and most of them in anger."""


SHIFTED_TOPICS: Final = tuple(
    replace(topic, mood=_SHIFT_MOOD, hashtags=(_SHIFT_HASHTAG, *topic.hashtags))
    if topic.rule == _SHIFT_RULE
    else topic
    for topic in TOPICS
    for _ in range(_SHIFT_TIMES if topic.rule == _SHIFT_RULE else 1)
)


@dataclass(frozen=True)
class Said:
    """A text, the language that X gives it, and the rules that it matches.

    `mood` is what its sentences were written to say: None in other languages than English.
    """

    text: str
    language: str
    rules: tuple[str, ...]
    mood: str | None = None


class TextMaker:
    """Makes texts that are all different, as `rng` decides."""

    def __init__(self, rng: random.Random, user_names: list[str]) -> None:
        self._rng = rng
        self._user_names = user_names
        self._made: set[str] = set()

    def make(self, topics: Sequence[Topic] = TOPICS) -> Said:
        """Return a text of one of these topics that was not made before."""
        for _ in range(_TRIES):
            said = self._draw(topics)
            if said.text not in self._made:
                self._made.add(said.text)
                return said
        raise ValueError(f"the vocabulary is exhausted after {len(self._made)} texts")

    def _draw(self, topics: Sequence[Topic]) -> Said:
        rng = self._rng
        topic = rng.choice(topics)
        if rng.random() < _OTHER_LANGUAGE_SHARE:
            language = rng.choice(list(OTHER_LANGUAGES))
            sentence = self._filled(rng.choice(OTHER_LANGUAGES[language]), topic)
            return Said(f"{sentence} {self._decoration(topic)}".strip(), language, (topic.rule,))
        (mood,) = rng.choices(_MOODS, weights=topic.mood)
        parts = [self._sentence(topic, mood)]
        rules = [topic.rule]
        if rng.random() < _ASIDE_SHARE:
            aside, rule = rng.choice(ASIDES)
            parts.append(aside)
            rules += [rule] if rule != topic.rule else []
        else:
            parts.append(rng.choice((topic.endings or ENDINGS)[mood]))
        if rng.random() < _LONG_SHARE:
            parts += [self._sentence(topic, mood) for _ in range(6)]
        parts.append(self._decoration(topic))
        return Said(" ".join(part for part in parts if part), "en", tuple(rules), mood)

    def _sentence(self, topic: Topic, mood: str) -> str:
        templates: tuple[str, ...] = getattr(topic, mood)
        sentence = self._filled(self._rng.choice(templates), topic)
        return sentence[0].upper() + sentence[1:]

    def _filled(self, template: str, topic: Topic) -> str:
        words = {**WORDS, **topic.words}
        return re.sub(r"\{(\w+)\}", lambda slot: self._rng.choice(words[slot[1]]), template)

    def _decoration(self, topic: Topic) -> str:
        rng = self._rng
        parts = []
        if rng.random() < 0.15:
            parts.append(f"@{rng.choice(self._user_names)}")
        if rng.random() < 0.55:
            count = 1 if rng.random() < 0.8 else 2
            parts += [f"#{tag}" for tag in rng.sample(topic.hashtags, count)]
        if rng.random() < 0.12:
            parts.append(f"https://t.co/{rng.getrandbits(48):010x}")
        return " ".join(parts)
