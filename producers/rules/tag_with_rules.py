"""Giving the tweets of an archive the rules that they match."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from producers.parsing.provenance import Parsed
from producers.rules.evaluate_rule import matches
from producers.rules.language import Rule, RuleFault, parse_rule
from producers.rules.rules_file import WantedRule, read_rules
from producers.rules.tweet_features import Facts, facts_of
from schemas.events import MatchedRule, TweetPosted
from schemas.failures import Failure


@dataclass(frozen=True)
class RuleMatcher:
    """Rules that are evaluated here."""

    rules: tuple[tuple[WantedRule, Rule], ...]

    def tag(self, parsed: Parsed) -> Parsed:
        """Return what was parsed, its tweets with the tags that they match, theirs before ours."""
        if not parsed.events:
            return parsed
        around = parsed.context.tweet_context()
        parsed.events = [
            msgspec.structs.replace(event, rules=self._matched(event, facts_of(event, around)))
            if isinstance(event, TweetPosted)
            else event
            for event in parsed.events
        ]
        return parsed

    def _matched(self, tweet: TweetPosted, facts: Facts) -> tuple[MatchedRule, ...]:
        ours = [MatchedRule(tag=w.tag) for w, rule in self.rules if matches(rule, facts)]
        by_tag = {rule.tag: rule for rule in [*ours, *tweet.rules]}
        return tuple(by_tag.values())


def rule_matcher(path: Path) -> RuleMatcher:
    """Return the rules of a file; raise `Failure` that names what cannot be evaluated here."""
    return RuleMatcher(tuple((rule, _parsed(path, rule)) for rule in read_rules(path)))


def _parsed(path: Path, rule: WantedRule) -> Rule:
    try:
        return parse_rule(rule.value)
    except RuleFault as fault:
        raise Failure(f"{path}: the rule tagged {rule.tag!r}: {fault}") from fault


def outside_subset(rules: Sequence[WantedRule]) -> dict[str, str]:
    """Return, by tag, why rules are not evaluated here; X may take them all the same."""
    faults = {}
    for rule in rules:
        try:
            parse_rule(rule.value)
        except RuleFault as fault:
            faults[rule.tag] = str(fault)
    return faults
