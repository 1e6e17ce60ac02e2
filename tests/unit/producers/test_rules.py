"""Rules: the language and what is outside it, matching, the file, and changes without a hole."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.parsing.provenance import Origin, Parsed
from producers.parsing.tweet_context import NO_CONTEXT, TweetContext
from producers.rules.evaluate_rule import matches
from producers.rules.language import OutsideSubset, RuleFault, parse_rule
from producers.rules.rule_changes import MAX_AT_X, Add, Delete, RuleAtX, plan_rules, steps_of
from producers.rules.rules_file import WantedRule, read_rules
from producers.rules.tag_with_rules import rule_matcher
from producers.rules.tweet_features import facts_of
from producers.x_api.v2_documents import parse_document
from schemas.events import Reference, TweetPosted
from schemas.failures import Failure
from tests.unit.examples import posted

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
DOCUMENT = (
    b'{"data":{"id":"20","author_id":"7","attachments":{"media_keys":["3_1"]}},'
    b'"includes":{"users":[{"id":"7","username":"CityTram"}]}}'
)


def context_of(raw: bytes) -> TweetContext:
    origin = Origin("spring", NOW, "x-v2", "test")
    return parse_document(raw, origin, NOW, 1).context.tweet_context()


def holds(rule: str, text: str = "", raw: bytes = b"", **fields: object) -> bool:
    tweet = posted(text=text or "nothing", **fields)
    return matches(parse_rule(rule), facts_of(tweet, context_of(raw)))


@pytest.mark.parametrize(
    ("rule", "text", "expected"),
    [
        ("tram", "The TRAM, at last!", True),
        ("tram", "trams", False),
        ("tram late", "late again: the tram", True),
        ("tram late", "the tram", False),
        ("tram OR bus late", "a bus", False),
        ("tram OR bus late", "the bus is late", True),
        ("(tram OR bus) late", "the tram", False),
        ("tram -late", "late tram", False),
        ("tram -(late OR slow)", "a slow tram", False),
        ("tram -(late OR slow)", "a fast tram", True),
        ('"so late"', "it is SO  late.", True),
        ('"so late"', "late, so what", False),
        ("#tram", "I like #Tram", True),
        ("#tram", "tram", False),
        ("tram", "I like #Tram", True),
        ("@CityTram", "hello @citytram", True),
        ("don't", "I don’t, I don't", True),
        ("🚋", "a 🚋 comes", True),
        ("早上", "早上 好", True),
        ("has:links", "see https://example.org", True),
        ("has:links", "see example.org", False),
        ("has:hashtags -has:mentions", "#a", True),
        ("has:hashtags -has:mentions", "#a @b", False),
        ("OR_NOT", "or_not", True),
    ],
)
def test_a_rule_matches_as_x_matches(rule: str, text: str, expected: bool) -> None:
    assert holds(rule, text) is expected


def test_authors_are_known_by_id_and_where_the_document_says_it_by_name() -> None:
    assert holds("from:7", author_id="7")
    assert not holds("from:citytram", author_id="7")
    assert holds("from:@CityTram", raw=DOCUMENT, author_id="7")
    assert holds("has:media", raw=DOCUMENT, tweet_id="20", root_id="20")


def test_kinds_language_and_addressee() -> None:
    reply = (Reference(kind="replied_to", tweet_id="9"),)
    assert holds("to:CityTram is:reply", "@CityTram late again", references=reply)
    assert not holds("to:CityTram", "@CityTram late again")
    assert holds("tram -is:retweet lang:de", "tram", language="de")
    assert not holds(
        "tram -is:retweet", "tram", references=(Reference(kind="retweeted", tweet_id="9"),)
    )
    assert not holds("lang:de", "tram")


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ("cats sample:10", "sample:10"),
        ("bounding_box:[1 2 3 4]", "bounding_box"),
        ("place_country:US", "place_country"),
        ("has:geo cats", "has:geo"),
        ("is:verified cats", "is:verified"),
        ("$TSLA", "$TSLA"),
        ('"so late"~3', "~"),
        ('url:"https://example.org"', "url:"),
        ("conversation_id:12", "conversation_id:12"),
    ],
)
def test_what_is_outside_the_subset_is_refused_by_name(rule: str, named: str) -> None:
    with pytest.raises(OutsideSubset) as refused:
        parse_rule(rule)
    assert named in str(refused.value)


@pytest.mark.parametrize(
    "rule",
    ["", "(", "cats OR", "OR cats", "-cats", "cats OR -dogs", '""', "()", "a" * 1_025, "--a"],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(RuleFault):
        parse_rule(rule)


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_refused_and_a_rule_decides(text: str) -> None:
    try:
        rule = parse_rule(text)
    except RuleFault:
        return
    assert matches(rule, facts_of(posted(text=text), NO_CONTEXT)) in (True, False)


@given(st.binary(max_size=60))
def test_any_bytes_have_a_context(raw: bytes) -> None:
    context_of(raw)


def test_a_tweet_keeps_its_own_rules_and_gets_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("- {value: tram, tag: trams}\n- {value: bus, tag: buses}\n")
    tagged = rule_matcher(path).tag(Parsed(events=[posted(text="a tram")]))
    (event,) = tagged.events
    assert isinstance(event, TweetPosted)
    assert [rule.tag for rule in event.rules] == ["trams"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("- {value: a", "not valid YAML"),
        ('- {value: a, tag: !!int ""}', "not valid YAML"),
        ("value: a", "a list"),
        ("- {value: a}", "rule 1 needs `value` and `tag`"),
        ("- {value: a, tag: b}\n- {value: a, tag: c}", "rule 2"),
        ("- {value: 12, tag: b}", "rule 1 needs a `value`: a text"),
        ("- !!python/object/apply:os.system [ls]", "not valid YAML"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(content)
    with pytest.raises(Failure, match=says):
        read_rules(path)


VALUES = st.sampled_from([f"v{n}" for n in range(6)])
WANTED = st.lists(st.builds(WantedRule, VALUES, st.sampled_from("ab")), unique_by=lambda r: r.value)
AT_X = st.lists(
    st.builds(RuleAtX, st.uuids().map(str), VALUES, st.sampled_from("ab")),
    unique_by=lambda r: r.value,
)


@given(WANTED, AT_X)
def test_applying_a_plan_gives_the_file_and_never_takes_a_kept_rule_away(
    wanted: list[WantedRule], at_x: list[RuleAtX]
) -> None:
    plan = plan_rules(wanted, at_x)
    have = {rule.value: rule.tag for rule in at_x}
    wanted_values = {rule.value for rule in wanted}
    always = wanted_values & set(have)
    for step in steps_of(plan):
        if isinstance(step, Add):
            assert not {rule.value for rule in step.rules} & set(have)
            have |= {rule.value: rule.tag for rule in step.rules}
        else:
            for gone in step.rules:
                del have[gone.value]
        assert {value.strip("()") for value in have} >= always
        assert len(have) <= MAX_AT_X
    assert have == {rule.value: rule.tag for rule in wanted}
    after = [RuleAtX("1", value, tag) for value, tag in have.items()]
    assert plan_rules(wanted, after).is_empty


def test_at_xs_limit_only_as_many_old_rules_go_first_as_have_to() -> None:
    at_x = [RuleAtX(str(n), f"old{n}", "t") for n in range(MAX_AT_X)]
    wanted = [WantedRule(f"new{n}", "t") for n in range(150)]
    count, steps = MAX_AT_X, list(steps_of(plan_rules(wanted, at_x)))
    for step in steps:
        count += len(step.rules) if isinstance(step, Add) else -len(step.rules)
        assert count <= MAX_AT_X
    first = steps[0]
    assert isinstance(first, Delete)
    assert len(first.rules) == 100
