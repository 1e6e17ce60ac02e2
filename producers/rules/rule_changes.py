"""What has to change at X so that it has the rules of the file, in an order that leaves no hole."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from producers.rules.language import MAX_CHARS
from producers.rules.rules_file import WantedRule
from schemas.failures import Failure

MAX_AT_X: Final = 1_000
ADDED_AT_ONCE: Final = 100
DELETED_AT_ONCE: Final = 100

ItemT = TypeVar("ItemT")


@dataclass(frozen=True)
class RuleAtX:
    """A rule that X has; one that is yet to be made has no id."""

    rule_id: str
    value: str
    tag: str | None


@dataclass(frozen=True)
class Add:
    """Rules to be added in one request."""

    rules: tuple[WantedRule, ...]


@dataclass(frozen=True)
class Delete:
    """Rules to be deleted in one request."""

    rules: tuple[RuleAtX, ...]


@dataclass(frozen=True)
class Plan:
    """The difference between the file and X. `retagged` pairs a rule at X with its new tag."""

    added: tuple[WantedRule, ...]
    deleted: tuple[RuleAtX, ...]
    retagged: tuple[tuple[RuleAtX, WantedRule], ...]
    kept: tuple[RuleAtX, ...]

    @property
    def is_empty(self) -> bool:
        """Whether X has the rules of the file already."""
        return not (self.added or self.deleted or self.retagged)

    @property
    def fingerprint(self) -> str:
        """The same for the same changes of the same rules at X, in whatever order X names them."""
        parts = [
            sorted((rule.value, rule.tag) for rule in self.added),
            sorted((rule.rule_id, rule.value) for rule in self.deleted),
            sorted((old.rule_id, old.value, old.tag or "", new.tag) for old, new in self.retagged),
            sorted((rule.rule_id, rule.value) for rule in self.kept),
        ]
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:16]


class PlanChanged(Failure):
    """What would be done now is not what was shown."""

    def __init__(self) -> None:
        super().__init__(
            "the plan has changed: the rules at X, or the file, are not those that it was made "
            "for; nothing was applied, look at the new plan"
        )


def require_plan(planned: Plan, fingerprint: str) -> None:
    """Raise `PlanChanged` where a plan is not the one that was shown."""
    if planned.fingerprint != fingerprint:
        raise PlanChanged


def plan_rules(wanted: Sequence[WantedRule], at_x: Sequence[RuleAtX]) -> Plan:
    """Compare by value; a rule that X has twice is kept once."""
    by_value: dict[str, RuleAtX] = {}
    deleted = []
    for rule in at_x:
        if rule.value in by_value:
            deleted.append(rule)
        else:
            by_value[rule.value] = rule
    values = {rule.value for rule in wanted}
    deleted += [rule for value, rule in by_value.items() if value not in values]
    known = [(by_value[rule.value], rule) for rule in wanted if rule.value in by_value]
    return Plan(
        added=tuple(rule for rule in wanted if rule.value not in by_value),
        deleted=tuple(deleted),
        retagged=tuple((old, new) for old, new in known if old.tag != new.tag),
        kept=tuple(old for old, new in known if old.tag == new.tag),
    )


def steps_of(plan: Plan) -> Iterator[Add | Delete]:
    """Yield the requests: new rules first, then old ones away, as far as X's limit allows.

    Where the new ones do not fit beside the old, only so many old ones go first as have to. X
    takes no value twice, so while the tag of a rule changes a twin in brackets stands in for it.
    """
    doomed = list(plan.deleted)
    at_x = len(plan.deleted) + len(plan.retagged) + len(plan.kept)
    for rules in _pieces(plan.added, ADDED_AT_ONCE):
        too_many = at_x + len(rules) - MAX_AT_X
        if too_many > 0:
            going, doomed = doomed[:too_many], doomed[too_many:]
            yield Delete(tuple(going))
            at_x -= len(going)
        yield Add(tuple(rules))
        at_x += len(rules)
    for old, new in plan.retagged:
        twin = WantedRule(f"({new.value})", new.tag)
        has_room = at_x < MAX_AT_X and len(twin.value) <= MAX_CHARS
        if has_room:
            yield Add((twin,))
        yield Delete((old,))
        yield Add((new,))
        if has_room:
            yield Delete((RuleAtX("", twin.value, twin.tag),))
    for gone in _pieces(doomed, DELETED_AT_ONCE):
        yield Delete(tuple(gone))


def _pieces(items: Iterable[ItemT], size: int) -> Iterator[list[ItemT]]:
    whole = list(items)
    for begin in range(0, len(whole), size):
        yield whole[begin : begin + size]
