"""X's two vocabularies: the same post is the same event in either, and what is missing is seen."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.records import Record
from producers.formats.twarc_flat import TWARC_FLAT
from producers.parsing.provenance import Origin, Parsed
from producers.x_account.requested_fields import QUESTIONS, Endpoint
from producers.x_account.vocabulary_choice import UNANSWERED_POSTS, VocabularyChoice
from producers.x_api.missing_fields import Asked, look_at
from producers.x_api.problems import is_too_many_connections, problem_in, said_by
from producers.x_api.v2_documents import parse_document
from schemas.events import TweetPosted
from tests.x_server.posts import Corpus, Post, Rule
from tests.x_server.vocabularies import NEW, OLD, STREAMED, in_both_words, in_other_words

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
ORIGIN = Origin(run="live", run_started_at=AT, source="x-v2", content="test")
RULES = [Rule("1", "cats", "about cats")]
WHOLE = "cats " + "and a whole sentence about them " * 12 + "to its end"


def parsed(line: bytes) -> Parsed:
    return parse_document(line, ORIGIN, AT, 1)


def event(line: bytes) -> TweetPosted:
    (posted,) = parsed(line).events
    assert isinstance(posted, TweetPosted)
    return posted


def posts() -> dict[str, Post]:
    corpus = Corpus(now=lambda: AT)
    first = corpus.post("cats, the first version")
    whole = corpus.post(WHOLE, author_id="77")
    return {
        "plain": corpus.post("cats"),
        "long": whole,
        "repost": corpus.post(WHOLE, repeats=whole),
        "edit": corpus.post("cats, the second version", edits=first),
    }


KINDS = ("plain", "long", "repost", "edit")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("odd", [False, True], ids=["well-formed", "odd"])
def test_a_post_is_the_same_event_in_either_vocabulary_and_in_a_mixture(
    kind: str, odd: bool
) -> None:
    post = posts()[kind]
    old = post.line(RULES, OLD)
    if odd:
        # An odd date takes the long way.
        plain = msgspec.json.decode(old)
        plain["data"]["created_at"] = "Fri Nov 20 10:00:00 +0000 2026"
        old = msgspec.json.encode(plain)
    found = event(old)
    assert found.text == post.text
    assert found.version == (1 if kind == "edit" else 0)
    assert found.root_id == post.root_id
    target = post.repeats
    assert [(ref.kind, ref.tweet_id, ref.author_id) for ref in found.references] == (
        [] if target is None else [("retweeted", target.tweet_id, "77")]
    )
    assert event(in_other_words(old)) == found
    assert event(in_both_words(old)) == found


@given(st.data())
def test_a_page_may_mix_both_vocabularies_post_by_post(data: st.DataObject) -> None:
    lines = [
        msgspec.json.decode(post.line(RULES, data.draw(st.sampled_from([OLD, NEW, STREAMED]))))
        for post in posts().values()
    ]
    includes: dict[str, list[Any]] = {}
    for line in lines:
        for name, included in line["includes"].items():
            includes.setdefault(name, []).extend(included)
    page = {"data": [line["data"] for line in lines], "includes": includes}
    old = {"data": [post.data() for post in posts().values()]}
    old["includes"] = {"tweets": posts()["repost"].included()}  # type: ignore[assignment]
    assert parsed(msgspec.json.encode(page)).events == parsed(msgspec.json.encode(old)).events


def test_both_vocabularies_side_by_side_count_once_and_the_fuller_one_is_read() -> None:
    whole = posts()["long"]
    data: dict[str, Any] = {
        "id": "1859500000000000001",
        "text": "RT @user77: cats and…",
        "referenced_tweets": [{"type": "retweeted", "id": whole.tweet_id}],
        "referenced_posts": [{"type": "reposted", "id": whole.tweet_id}],
        "edit_history_tweet_ids": ["1859500000000000001"],
        "edit_history_post_ids": ["1859500000000000000", "1859500000000000001"],
        "note_tweet": {"text": "short"},
        "note_post": {},
    }
    cut = whole.data() | {"note_tweet": None}
    includes = {"tweets": [cut], "posts": [whole.data(NEW)]}
    found = event(msgspec.json.encode({"data": data, "includes": includes}))
    assert found.text == whole.text
    assert {reference.tweet_id for reference in found.references} == {whole.tweet_id}
    assert (found.root_id, found.version) == ("1859500000000000000", 1)


def test_twarcs_flattened_lines_may_have_the_new_words_too() -> None:
    repost = posts()["repost"]
    assert repost.repeats is not None

    def flat(name: str, note: str) -> TweetPosted:
        target = repost.repeats.data(NEW if note == "note_post" else OLD)  # type: ignore[union-attr]
        data = repost.data(NEW if note == "note_post" else OLD)
        data[name] = [{"type": "retweeted", **target}]
        record = Record(1, msgspec.json.encode(data | {"author": {"id": "7001"}}))
        reader = TWARC_FLAT.reader(b"", None)  # type: ignore[arg-type]
        (posted,) = reader.parse(record, ORIGIN, AT).events
        assert isinstance(posted, TweetPosted)
        return posted

    found = flat("referenced_posts", "note_post")
    assert found == flat("referenced_tweets", "note_tweet")
    assert found.text == WHOLE


def test_a_post_alone_is_known_by_its_note() -> None:
    assert event(b'{"note_post":{"text":"cats at length"}}').text == "cats at length"


@pytest.mark.parametrize("dialect", [OLD, NEW, STREAMED])
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_in_any_vocabulary_that_holds_everything_lacks_nothing(
    kind: str, dialect: Any
) -> None:
    seen = look_at(posts()[kind].line(RULES, dialect))
    assert not seen.missing
    assert seen.expected[Asked.CREATED_AT] == 1
    assert seen.expected[Asked.REPEATED] == (kind == "repost")
    assert seen.expected[Asked.LONG_TEXT] == (kind == "long")


def without(line: bytes, *names: str, included: bool = True) -> bytes:
    document = msgspec.json.decode(line)
    document["data"] = {n: v for n, v in document["data"].items() if n not in names}
    if not included:
        document["includes"] = {"users": []}
    return msgspec.json.encode(document)


@pytest.mark.parametrize("dialect", [OLD, NEW])
@pytest.mark.parametrize(
    ("kind", "name", "missing"),
    [
        ("plain", "created_at", Asked.CREATED_AT),
        ("plain", "author_id", Asked.AUTHOR),
        ("plain", "versions", Asked.EDITS),
        ("long", "note", Asked.LONG_TEXT),
        ("repost", "references", Asked.REFERENCES),
    ],
)
def test_what_is_missing_is_seen(kind: str, name: str, missing: Asked, dialect: Any) -> None:
    line = posts()[kind].line(RULES, dialect)
    seen = look_at(without(line, getattr(dialect.words, name, name)))
    assert seen.missing == {missing: 1}


def test_a_repost_whose_original_does_not_come_is_seen_unless_x_says_why() -> None:
    repost = posts()["repost"]
    assert repost.repeats is not None
    line = without(repost.line(RULES, NEW), included=False)
    assert look_at(line).missing == {Asked.REPEATED: 1}
    excused = msgspec.json.decode(line)
    excused["errors"] = [
        {"resource_id": repost.repeats.tweet_id, "title": "Not Found Error", "detail": "gone"}
    ]
    assert not look_at(msgspec.json.encode(excused)).missing


@pytest.mark.parametrize("line", [b"", b"{}", b"<html>", b'{"data":7}', b"[" * 50_000, b'"\xff"'])
def test_what_is_no_answer_with_posts_is_not_judged(line: bytes) -> None:
    assert not look_at(line).expected


BARE = look_at(b'{"data":{"id":"1","text":"cats"}}')


def test_a_stream_that_keeps_answering_nothing_is_asked_otherwise_and_each_way_once() -> None:
    choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
    ways = [choice.question]
    ways += [choice.question for _ in range(1_000) if choice.ask_otherwise_for(has_time=False)]
    assert ways == list(QUESTIONS[Endpoint.FILTERED_STREAM])


def test_a_sound_post_among_bare_ones_keeps_the_way_of_asking() -> None:
    choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
    for _ in range(10):
        for _ in range(UNANSWERED_POSTS - 1):
            assert not choice.ask_otherwise_for(has_time=False)
        assert not choice.ask_otherwise_for(has_time=True)


def test_a_way_of_asking_that_gives_more_is_gone_back_to() -> None:
    choice = VocabularyChoice(Endpoint.RECENT_SEARCH)
    first = choice.question
    lacks_texts = look_at(without(posts()["repost"].line(RULES, NEW), included=False))
    assert choice.ask_page_otherwise_for(lacks_texts)
    assert choice.question != first
    assert choice.ask_page_otherwise_for(BARE)
    assert choice.question == first
    assert not choice.ask_page_otherwise_for(lacks_texts)


def test_a_refusal_of_what_was_asked_leads_to_another_way_and_one_of_the_query_does_not() -> None:
    choice = VocabularyChoice(Endpoint.RECENT_SEARCH)
    assert not choice.ask_otherwise_after(
        {"errors": [{"parameters": {"query": ["cats"]}, "message": "ambiguous query"}]}
    )
    assert choice.ask_otherwise_after(
        {"errors": [{"message": "The query parameter [post.fields] is not one of [query]"}]}
    )
    assert choice.question.parameters.keys() >= {"tweet.fields"}
    assert not choice.ask_otherwise_after({"errors": [{"parameter": "post.fields"}]})


def test_what_is_missing_is_counted_and_each_kind_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    choice = VocabularyChoice(Endpoint.FILTERED_STREAM)
    lacks = look_at(without(posts()["repost"].line(RULES, NEW), included=False))
    for _ in range(3):
        choice.count(lacks)
    assert choice.missing == {Asked.REPEATED: 3}
    (said,) = caplog.messages
    assert "reposted_text (2/tweets/search/stream" in said


def test_no_question_asks_one_vocabulary_for_what_only_the_other_knows() -> None:
    for questions in QUESTIONS.values():
        for question in questions:
            fields = {
                name: set(values)
                for name, values in question.parameters.items()
                if name != "expansions"
            }
            assert not {"note_post", "referenced_posts"} & fields.get("tweet.fields", set())
            assert not {"note_tweet", "referenced_tweets", "author_id"} & fields.get(
                "post.fields", set()
            )
            assert len(fields.keys() & {"tweet.fields", "post.fields"}) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"title": "ConnectionException"}', "ConnectionException"),
        (
            b'{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}',
            "Unauthorized",
        ),
        (b'{"errors":[{"message":"the query is too long","code":7}]}', "the query is too long"),
        (
            b'{"errors":[{"title":"operational-disconnect","detail":"bye"},"and more"]}',
            "operational-disconnect: bye; and more",
        ),
        (b'{"title":"A\\nB","detail":"\\u202ex"}', "A\\nB: \\u202ex"),
    ],
)
def test_a_problem_of_xs_is_no_event_and_no_fault_and_says_what_it_says(
    line: bytes, says: str
) -> None:
    problem = problem_in(line)
    assert problem is not None
    assert said_by(problem) == says
    found = parsed(line)
    assert not found.events
    assert not found.refused
    assert set(found.skipped) == {"api-error"}


@pytest.mark.parametrize(
    "line",
    [
        b'{"title":"A page of a book"}',
        b'{"title":"News","text":"cats"}',
        b'{"message":"cats"}',
        b'{"errors":[]}',
        b'{"data":{"id":"1","text":"cats"},"errors":[{"title":"Not Found Error"}]}',
        b"[]",
        b"",
    ],
)
def test_a_record_that_merely_looks_like_a_problem_is_none(line: bytes) -> None:
    assert problem_in(line) is None


def test_what_a_problem_says_is_bounded() -> None:
    errors = [{"title": "x" * 10_000, "detail": "y" * 10_000}] * 1_000
    problem = problem_in(msgspec.json.encode({"title": "Long", "errors": errors}))
    assert problem is not None
    assert len(said_by(problem)) < 400


def test_taken_connections_are_known_by_title_or_issue_also_within_errors() -> None:
    for line in (
        b'{"title": "ConnectionException"}',
        b'{"errors":[{"title":"x","connection_issue":"TooManyConnections"}]}',
    ):
        problem = problem_in(line)
        assert problem is not None
        assert is_too_many_connections(problem)
    assert not is_too_many_connections({"title": "Forbidden"})
