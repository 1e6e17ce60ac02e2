"""The rules at X: listing them, checking new ones, changing them step by step."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import tweepy

from producers.rules.rule_changes import (
    ADDED_AT_ONCE,
    Add,
    Delete,
    Plan,
    RuleAtX,
    plan_rules,
    steps_of,
)
from producers.rules.rules_file import WantedRule
from producers.x_account.client import Answer, Ask, answered
from producers.x_api.problems import MAX_SAID_CHARS, said_by
from schemas.escape_for_terminal import shown
from schemas.failures import Failure

_MAX_SHOWN: Final = 5
_RULES: Final = "/2/tweets/search/stream/rules"


class RulesAtX:
    """The rules of the stream that the token belongs to. Each method may raise `Failure`."""

    def __init__(self, client: Any, ask: Ask) -> None:
        self._client = client
        self._ask = ask

    def listed(self) -> list[RuleAtX]:
        """Return what X has, all pages of it; an answer of errors alone is no empty list."""
        listed: list[RuleAtX] = []
        token: str | None = None
        while True:
            answer = self._ask(partial(self._page, token))
            listed += [
                RuleAtX(str(rule["id"]), str(rule["value"]), rule.get("tag"))
                for rule in answer.get("data") or []
            ]
            following = (answer.get("meta") or {}).get("next_token")
            if following in (None, token):
                return listed
            token = str(following)

    def _page(self, token: str | None) -> Answer:
        # Tweepy's own method does not know pages.
        parameters = {} if token is None else {"pagination_token": token}
        return answered(self._client.request("GET", _RULES, parameters))

    def check(self, rules: Sequence[WantedRule]) -> None:
        """Have X try the rules without taking them; raise `Failure` that names what X says."""
        for begin in range(0, len(rules), ADDED_AT_ONCE):
            self._add(rules[begin : begin + ADDED_AT_ONCE], dry_run=True)

    def apply(self, wanted: Sequence[WantedRule], plan: Plan) -> None:
        """Change X's rules as planned; afterwards X has exactly the wanted ones, or it raises.

        New rules come before old ones go. What was interrupted is finished by doing it again.
        """
        self.check([*plan.added])
        ids: dict[str, str] = {}
        for step in steps_of(plan):
            if isinstance(step, Add):
                ids |= self._add(step.rules, dry_run=False)
            else:
                self._delete(step, ids)
        left = plan_rules(wanted, self.listed())
        if not left.is_empty:
            raise Failure(
                "X's rules are not yet those of the file (somebody else may be changing them): "
                "run `murmur rules plan`, then apply again"
            )

    def _add(self, rules: Sequence[WantedRule], *, dry_run: bool) -> dict[str, str]:
        asked = [tweepy.StreamRule(value=rule.value, tag=rule.tag) for rule in rules]
        # X knows "true", and Python would send "True".
        answer = self._ask(
            lambda: (
                dict(self._client.add_rules(asked, dry_run="true"))
                if dry_run
                else dict(self._client.add_rules(asked))
            )
        )
        errors = answer.get("errors")
        if errors:
            raise Failure(f"X rejected {_said(errors)}")
        made = answer.get("data") or []
        return {str(rule["value"]): str(rule["id"]) for rule in made if "id" in rule}

    def _delete(self, step: Delete, ids: dict[str, str]) -> Answer:
        named = [rule.rule_id or ids.get(rule.value, "") for rule in step.rules]
        return self._ask(lambda: dict(self._client.delete_rules([name for name in named if name])))


def _said(errors: Sequence[Any]) -> str:
    """Return what X says of the first rules that it refuses."""
    said = []
    for error in errors[:_MAX_SHOWN]:
        if isinstance(error, Mapping) and "value" in error:
            details = error.get("details")
            why = "; ".join(map(str, details)) if isinstance(details, list) else said_by(error)
            said.append(f"{error['value']!r}: {shown(why or 'no reason', MAX_SAID_CHARS)}")
        else:
            said.append(f"the rules: {said_by({'errors': [error]}) or 'no reason'}")
    more = f", and {len(errors) - _MAX_SHOWN} more" if len(errors) > _MAX_SHOWN else ""
    return ", ".join(said) + more
