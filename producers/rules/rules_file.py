"""rules.yaml: a list of rules, each a value and a tag."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producers.rules.language import MAX_CHARS
from schemas.failures import Failure
from schemas.yaml_file import read_yaml

MAX_RULES: Final = 1_000
_MAX_TAG_CHARS: Final = 512


@dataclass(frozen=True, order=True)
class WantedRule:
    """A rule as a person wrote it."""

    value: str
    tag: str


def read_rules(path: Path) -> list[WantedRule]:
    """Return the rules of a file in their order; raise `Failure` that names what is wrong.

    The file is YAML: a list of mappings with `value` and `tag`. No value stands twice.
    """
    content = read_yaml(path)
    if not isinstance(content, list):
        raise Failure(f"{path}: expected a list of rules, each with `value` and `tag`")
    rules = [_rule(path, number, entry) for number, entry in enumerate(content, start=1)]
    if len(rules) > MAX_RULES:
        raise Failure(f"{path}: {len(rules)} rules, X takes at most {MAX_RULES}")
    seen: set[str] = set()
    for number, rule in enumerate(rules, start=1):
        if rule.value in seen:
            raise Failure(f"{path}: rule {number} has the value of an earlier one")
        seen.add(rule.value)
    return rules


def _rule(path: Path, number: int, entry: object) -> WantedRule:
    if not isinstance(entry, dict) or set(entry) != {"value", "tag"}:
        raise Failure(f"{path}: rule {number} needs `value` and `tag`, and nothing else")
    value, tag = entry["value"], entry["tag"]
    if not isinstance(value, str) or not value.strip() or len(value.strip()) > MAX_CHARS:
        raise Failure(
            f"{path}: rule {number} needs a `value`: a text of at most {MAX_CHARS} characters"
        )
    if not isinstance(tag, str) or not tag.strip() or len(tag.strip()) > _MAX_TAG_CHARS:
        raise Failure(
            f"{path}: rule {number} needs a `tag`: a text of at most {_MAX_TAG_CHARS} characters"
        )
    return WantedRule(value.strip(), tag.strip())
