"""`murmur replay --rules`: an archive gets the rules that its tweets match, or nothing happens."""

from pathlib import Path

import msgspec

from schemas.events import TweetPosted
from schemas.settings import Settings
from tests.integration.replay_runs import FIRST_ID, archive, raw_events, refused, replay


def line(number: int, text: str, author: str = "7") -> bytes:
    document = {
        "data": {"id": str(FIRST_ID + number), "text": text, "author_id": author},
        "includes": {"users": [{"id": author, "username": f"Author{author}"}]},
    }
    return msgspec.json.encode(document) + b"\n"


def test_tweets_of_an_archive_get_the_rules_that_they_match(
    settings: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- {value: '(tram OR bus) -late', tag: transport}\n- {value: 'from:author8', tag: eight}\n"
    )
    path = archive(
        tmp_path, line(0, "a tram"), line(1, "a late tram"), line(2, "the bus", "8"), line(3, "me")
    )
    replay(settings, path, "--rules", rules)
    matched = {
        int(event.tweet_id) - FIRST_ID: sorted(rule.tag for rule in event.rules)
        for event in raw_events(settings)
        if isinstance(event, TweetPosted)
    }
    assert matched == {0: ["transport"], 1: [], 2: ["eight", "transport"], 3: []}


def test_a_rule_outside_the_subset_is_named_and_nothing_is_published(
    settings: Settings, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("- {value: 'cats sample:10', tag: some cats}\n")
    said = refused(settings, archive(tmp_path, line(0, "cats")), "--rules", rules, code=1)
    assert "'some cats'" in said
    assert "sample:10 is not evaluated here" in said
    assert raw_events(settings) == []
