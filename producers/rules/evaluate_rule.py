"""Does a tweet match a rule? As X does it, as far as X says how."""

from collections.abc import Collection

from producers.rules.language import All, AnyOf, Not, Rule, Term
from producers.rules.tweet_features import Facts
from schemas.tweet_text import find_words


def matches(rule: Rule, facts: Facts) -> bool:
    """Tell whether a tweet matches.

    Words are matched whole and without regard to case; a word with punctuation inside is matched
    as the row of its parts. `#word` is matched by hashtags, and a plain word by them too.
    """
    match rule:
        case Term():
            return _holds(rule, facts)
        case Not(part):
            return not matches(part, facts)
        case All(parts):
            return all(matches(part, facts) for part in parts)
        case AnyOf(parts):
            return any(matches(part, facts) for part in parts)


def _holds(term: Term, facts: Facts) -> bool:
    found: dict[str, Collection[str | None]] = {
        "hashtag": facts.hashtags,
        "mention": facts.mentions,
        "from": facts.authors,
        "to": (facts.addressee,),
        "lang": (facts.language,),
        "is": facts.kinds,
        "has": facts.has,
    }
    if term.kind in found:
        return term.value in found[term.kind]
    return _in_a_row(tuple(find_words(term.value)), term.value, facts)


def _in_a_row(wanted: tuple[str, ...], literal: str, facts: Facts) -> bool:
    if not wanted:
        # An emoji, or other signs, stands wherever it stands.
        return literal in facts.text
    last = len(facts.words) - len(wanted)
    return any(facts.words[at : at + len(wanted)] == wanted for at in range(last + 1))
