"""The rule language: a text to a tree, or the name of what is outside the subset."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput, VisitError

MAX_CHARS: Final = 1_024
"""Longest rule that X takes."""

IS: Final = frozenset(["retweet", "reply", "quote"])
HAS: Final = frozenset(["links", "hashtags", "mentions", "media"])


class RuleFault(ValueError):
    """A rule that cannot be evaluated here; the message says which part of it, and why."""


class OutsideSubset(RuleFault):
    """A rule that X may well take, with an operator that is not evaluated here."""


@dataclass(frozen=True)
class Term:
    """One condition. `kind` is word, phrase, hashtag, mention, from, to, lang, is or has."""

    kind: str
    value: str


@dataclass(frozen=True)
class Not:
    """What must not hold."""

    part: "Rule"


@dataclass(frozen=True)
class All:
    """Everything must hold."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class AnyOf:
    """One of them must hold."""

    parts: tuple["Rule", ...]


Rule: TypeAlias = Term | Not | All | AnyOf


def parse_rule(text: str) -> Rule:
    """Return the tree of a rule.

    Raises `OutsideSubset`, naming the operator, for what is not evaluated here, and `RuleFault`
    for what is no rule at all.
    """
    if len(text) > MAX_CHARS:
        raise RuleFault(f"the rule has {len(text)} characters, at most {MAX_CHARS}")
    try:
        rule: Rule = _Tree().transform(_parser().parse(text))
    except UnexpectedInput as error:
        where = getattr(error, "column", -1)
        place = f"at character {where}" if isinstance(where, int) and where > 0 else "at its end"
        raise RuleFault(f"the rule cannot be read {place}") from None
    except VisitError as error:
        if isinstance(error.orig_exc, RuleFault):
            raise error.orig_exc from None
        raise
    if not _narrows(rule):
        raise RuleFault(
            "the rule has only negations: X requires at least one condition without `-`"
        )
    return rule


@cache
def _parser() -> Lark:
    return Lark.open("grammar.lark", rel_to=__file__, parser="lalr")


class _Tree(Transformer):  # type: ignore[type-arg]  # of tokens to rules
    def start(self, parts: list[Rule]) -> Rule:
        return parts[0]

    def alternatives(self, parts: list[Rule]) -> Rule:
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def together(self, parts: list[Rule]) -> Rule:
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def negated(self, parts: list[Rule]) -> Rule:
        return Not(parts[0])

    def word(self, tokens: list[str]) -> Rule:
        return Term("word", str(tokens[0]).casefold())

    def phrase(self, tokens: list[str]) -> Rule:
        text = str(tokens[0])
        if not text.endswith('"'):
            raise OutsideSubset(f"{text}: the proximity operator ~ is not evaluated here")
        if not text.strip('" '):
            raise RuleFault("a phrase is empty")
        return Term("phrase", text.strip('"').casefold())

    def hashtag(self, tokens: list[str]) -> Rule:
        return Term("hashtag", str(tokens[0])[1:].casefold())

    def mention(self, tokens: list[str]) -> Rule:
        return Term("mention", str(tokens[0])[1:].casefold())

    def cashtag(self, tokens: list[str]) -> Rule:
        raise OutsideSubset(f"{tokens[0]}: cashtags are not evaluated here")

    def operator(self, tokens: list[str]) -> Rule:
        name, _, value = str(tokens[0]).partition(":")
        name, value = name.lower(), value.casefold()
        accounts = name in ("from", "to") and re.fullmatch(r"@?[a-z0-9_]{1,20}", value)
        if accounts:
            return Term(name, value.removeprefix("@"))
        if name == "lang" and re.fullmatch(r"[a-z]{2,3}(-[a-z]{2,4})?", value):
            return Term(name, value)
        if (name == "is" and value in IS) or (name == "has" and value in HAS):
            return Term(name, value)
        raise OutsideSubset(f"{name}:{value} is not evaluated here")


def _narrows(rule: Rule) -> bool:
    match rule:
        case Term():
            return True
        case Not():
            return False
        case All(parts):
            return any(map(_narrows, parts))
        case AnyOf(parts):
            return all(map(_narrows, parts))
