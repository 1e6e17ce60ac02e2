"""The fake's rules: adding, deleting, dry runs, and refusing what X refuses."""

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.x_server.server import Handler

PATH = "/2/tweets/search/stream/rules"


def listed(handler: "Handler") -> None:
    rules = [
        {"id": rule.rule_id, "value": rule.value} | ({"tag": rule.tag} if rule.tag else {})
        for rule in handler.x.corpus.rules.values()
    ]
    query = parse_qs(urlsplit(handler.path).query)
    begin = int(query.get("pagination_token", ["0"])[0])
    end = begin + handler.x.rules_page
    meta: dict[str, object] = {"sent": "2026-11-21T00:00:00Z", "result_count": len(rules)}
    if end < len(rules):
        meta["next_token"] = str(end)
    rules = rules[begin:end]
    handler.answer_json(200, {"meta": meta} | ({"data": rules} if rules else {}))


def changed(handler: "Handler", asked: dict[str, Any]) -> None:
    dry = parse_qs(urlsplit(handler.path).query).get("dry_run") == ["true"]
    corpus = handler.x.corpus
    if "delete" in asked:
        ids = asked["delete"]["ids"]
        known = [rule_id for rule_id in ids if rule_id in corpus.rules]
        for rule_id in known if not dry else ():
            corpus.delete_rule(rule_id)
        meta = {"summary": {"deleted": len(known), "not_deleted": len(ids) - len(known)}}
        handler.answer_json(200, {"meta": meta})
        return
    values = {rule.value for rule in corpus.rules.values()}
    made, errors = [], []
    for rule in asked["add"]:
        if rule["value"].count("(") != rule["value"].count(")"):
            errors.append(
                {
                    "value": rule["value"],
                    "title": "UnprocessableEntity",
                    "details": ["missing ')' at the end"],
                    "type": "https://api.twitter.com/2/problems/invalid-rules",
                }
            )
        elif rule["value"] in values:
            errors.append(
                {
                    "value": rule["value"],
                    "title": "DuplicateRule",
                    "type": "https://api.twitter.com/2/problems/duplicate-rules",
                }
            )
        else:
            made.append(rule)
    # X takes all rules of a request or none.
    if errors:
        handler.answer_json(201, {"meta": {"summary": {"invalid": len(errors)}}, "errors": errors})
        return
    if not dry:
        for rule in made:
            rule["id"] = corpus.add_rule(rule["value"], rule.get("tag")).rule_id
    handler.answer_json(201, {"data": made, "meta": {"summary": {"created": len(made)}}})
