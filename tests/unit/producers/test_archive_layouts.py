"""JSON means the same however it lies in its file: on lines, in arrays, pretty-printed or not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.archives.json_elements import json_elements
from producers.archives.lines import LineReader
from producers.archives.records import Record
from producers.formats import v2_pages
from producers.formats.archive_format import FormatOptions, parse_record
from producers.formats.json_documents import LARGE_DOCUMENT_BYTES
from producers.formats.x_v2 import X_V2
from producers.parsing.provenance import Origin
from producers.replay.positions import FilePosition
from producers.replay.record_reader import RecordReader
from schemas.events import TweetPosted
from tests.unit.archive_replays import NOW, prepared, survey, tweets

FIRST_ID = 1_630_900_690_744_246_273
WHOLE = "This is the whole of it. " * 9
Tweet = dict[str, Any]


def old(number: int, text: str = "words") -> Tweet:
    own_id = FIRST_ID + number * 1_000_000_007
    return {
        "created_at": "Wed Mar 01 12:00:00 +0000 2023",
        "id": own_id,
        "id_str": str(own_id),
        "full_text": f"{number} {text}",
        "user": {"id": 100 + number, "id_str": str(100 + number)},
        "retweeted_status": {"id_str": "7", "text": "cut", "extended_tweet": {"full_text": WHOLE}},
    }


def new(number: int, text: str = "words") -> Tweet:
    return {"id": str(FIRST_ID + number * 1_000_000_007), "text": f"{number} {text}"}


def row(number: int, text: str = "words") -> Tweet:
    return {**new(number, text), "label": "fine"}


def on_lines(documents: list[Tweet]) -> str:
    return "\n".join(map(json.dumps, documents))


def array(indent: int | None) -> Callable[[list[Tweet]], str]:
    return lambda documents: json.dumps(documents, indent=indent)


def under(name: str, indent: int | None) -> Callable[[list[Tweet]], str]:
    return lambda documents: json.dumps({"about": {"x": [1]}, name: documents}, indent=indent)


LAYOUTS: dict[str, Callable[[list[Tweet]], str]] = {
    "on lines": on_lines,
    "array": array(None),
    "array, indented": array(2),
    "array, an element a line": lambda each: "[\n" + ",\n".join(map(json.dumps, each)) + "\n]\n",
    "arrays on lines": lambda each: "\n".join(json.dumps([tweet]) for tweet in each),
    "arrays one after the other": lambda each: (
        json.dumps(each[:1]) + json.dumps(each[1:], indent=1)
    ),
    "indented one after the other": lambda each: "\n".join(json.dumps(t, indent=2) for t in each),
    "carriage returns": lambda each: on_lines(each).replace("\n", "\r"),
    **{f"{name}, indented": under(name, 1) for name in ("statuses", "results", "tweets")},
    **{f"{name}, on a line": under(name, None) for name in ("statuses", "results", "tweets")},
    "a page a line": lambda each: "\n".join(json.dumps({"results": [tweet]}) for tweet in each),
}
texts = st.text(st.sampled_from('{}[]"\\,: éx'), min_size=1, max_size=12).map(lambda t: f"x{t}")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("make", [old, new, row])
@given(written=st.lists(texts, min_size=1, max_size=5))
def test_a_document_means_the_same_in_every_layout(
    tmp_path_factory: pytest.TempPathFactory,
    layout: str,
    make: Callable[[int, str], Tweet],
    written: list[str],
) -> None:
    path = tmp_path_factory.getbasetemp() / "layout"
    documents = [make(number, text) for number, text in enumerate(written)]
    on_its_lines = tweets(path, on_lines(documents).encode())
    assert len(on_its_lines) == len(documents)
    assert tweets(path, LAYOUTS[layout](documents).encode()) == on_its_lines


@pytest.mark.parametrize("name", ["data", "tweets"])
@pytest.mark.parametrize("make", [old, row])
def test_data_that_is_no_page_of_x_is_an_array_of_tweets(
    tmp_path: Path, name: str, make: Callable[[int], Tweet]
) -> None:
    documents = list(map(make, range(30)))
    for indent in (None, 2):
        found = tweets(tmp_path / "a", json.dumps({name: documents}, indent=indent).encode())
        assert [tweet.tweet_id for tweet in found] == [str(each["id"]) for each in documents]


def test_a_pretty_printed_retweet_keeps_its_author_and_whole_text(tmp_path: Path) -> None:
    (tweet,) = tweets(tmp_path / "a", json.dumps(old(3), indent=2).encode())
    assert (tweet.author_id, tweet.text) == ("103", WHOLE)
    assert tweet.retweet_of is not None


@pytest.mark.parametrize("form", [array(None), under("statuses", None), array(0)])
def test_an_array_may_be_longer_than_any_line(
    tmp_path: Path, form: Callable[[list[Tweet]], str]
) -> None:
    documents = [old(number, "x" * 900) for number in range(9_000)]
    content = form(documents).encode()
    assert len(content) > LARGE_DOCUMENT_BYTES
    assert survey(tmp_path / "a", content).events == {"TweetPosted": 9_000}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_large_page_is_taken_apart_and_its_tweets_are_completed(
    tmp_path: Path, indent: int | None
) -> None:
    page = {
        "data": [new(number, "x" * 2_000) for number in range(5_000)],
        "includes": {"tweets": [{"id": "7", "text": WHOLE, "author_id": "9"}]},
        "meta": {"result_count": 5_000},
    }
    page["data"][4_321]["referenced_tweets"] = [{"type": "retweeted", "id": "7"}]  # type: ignore[index]
    content = json.dumps(page, indent=indent).encode()
    assert len(content) > LARGE_DOCUMENT_BYTES
    found = tweets(tmp_path / "a", content)
    assert len(found) == 5_000
    assert found[4_321].text == WHOLE
    assert found[4_321].references[0].author_id == "9"
    assert {tweet.text for tweet in found[:10]} == {f"{n} {'x' * 2_000}" for n in range(10)}


def test_a_page_of_too_many_objects_is_one_unreadable_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(v2_pages, "_MOST_OBJECTS", 10)
    content = json.dumps({"data": [new(n, "x" * 1_000_000) for n in range(12)]}, indent=1)
    found = survey(tmp_path / "a", content.encode(), force=True)
    assert found.refused == {"too-large": 1}


@given(
    st.lists(st.booleans(), min_size=1, max_size=6),
    st.sampled_from([b'{"id": 1, "te', b'{"id": 1}}, "x": 2}', b'{"id": [1, {"y": 2']),
)
def test_a_broken_line_of_an_array_costs_no_other(sound: list[bool], broken: bytes) -> None:
    lines = [b'{"id": %d}' % n if whole else broken for n, whole in enumerate([True, *sound])]
    content = b"[\n" + b",\n".join(lines) + b"\n]"
    found = [
        json.loads(record.raw)["id"]
        for record in json_elements(iter(LineReader([content])))
        if record.unreadable is None and broken not in record.raw and record.raw != b'{"id": 1}'
    ]
    wanted = [n for n, whole in enumerate([True, *sound]) if whole and n != 1]
    assert [each for each in found if each in wanted] == wanted


@given(st.lists(st.dictionaries(texts, texts | st.integers(), min_size=1)), st.integers(1, 9))
def test_elements_do_not_depend_on_how_the_pieces_fall(each: list[Tweet], size: int) -> None:
    content = json.dumps({"x": ["tweets"], "tweets": each, "tweets_": [{"no": 1}]}).encode()
    pieces = [content[n : n + size] for n in range(0, len(content), size)]
    lines = iter(LineReader(pieces, in_parts=True))
    found = json_elements(lines, under=(b"tweets",))
    assert [json.loads(record.raw) for record in found] == each


def test_an_array_whose_first_element_is_broken_or_last_comma_is_too_much_is_read(
    tmp_path: Path,
) -> None:
    for written in ('[\n{"created_at": "We\n%s,\n%s]', "[\n%s,\n%s,\n]"):
        content = (written % (json.dumps(old(0)), json.dumps(old(1)))).encode()
        assert len(tweets(tmp_path / "a", content)) == 2


def test_what_stands_among_the_objects_of_an_array_is_said(tmp_path: Path) -> None:
    content = json.dumps([new(0), "a text alone", 17, new(1)]).encode()
    found = survey(tmp_path / "a", content)
    assert found.events == {"TweetPosted": 2}
    assert found.refused == {"not-json": 1}


def test_nan_is_nothing_wherever_it_stands(tmp_path: Path) -> None:
    rows = [{**row(n), "label": float("nan"), "author_id": float("nan")} for n in range(3)]
    for documents in (rows, [{**new(n), "referenced_tweets": float("nan")} for n in range(3)]):
        found = tweets(tmp_path / "a", on_lines(documents).encode())
        assert [(tweet.label, tweet.author_id, tweet.references) for tweet in found] == [
            (None, None, ())
        ] * 3


EDITED = {"initialTweetId": "1630916041896886333", "editControlInitial": {"editTweetIds": None}}


@pytest.mark.parametrize("ids", [["1630916041896886333", "1630916297749430334"], None])
def test_edits_of_an_account_export_are_one_tweet(tmp_path: Path, ids: list[str] | None) -> None:
    edit = {**EDITED, "editControlInitial": {"editTweetIds": ids}}
    versions = [
        {"tweet": {"id_str": own_id, "full_text": text, "edit_info": {"edit": edit}}}
        for own_id, text in (("1630916041896886333", "one"), ("1630916297749430334", "two"))
    ]
    content = "window.YTD.tweets.part0 = " + json.dumps(versions, indent=2)
    found = tweets(tmp_path / "tweets.js", content.encode())
    assert {tweet.root_id for tweet in found} == {"1630916041896886333"}
    assert [(tweet.version, tweet.text) for tweet in found] == [(0, "one"), (1, "two")]


def test_an_older_account_export_is_read(tmp_path: Path) -> None:
    content = "Grailbird.data.tweets_2013_01 = \n " + json.dumps([old(0), old(1)], indent=1)
    assert len(tweets(tmp_path / "2013_01.js", content.encode())) == 2


def test_a_position_of_one_layout_is_none_of_another(tmp_path: Path) -> None:
    contents = [json.dumps(new(0)), json.dumps([new(0)]), json.dumps({"tweets": [new(0)]})]
    keys = {prepared(tmp_path / "a", each.encode()).key.read_as for each in contents}
    assert len(keys) == 3
    assert "x-v2 columns= quoting=None" in keys


def test_batch_compliance_results_are_removals(tmp_path: Path) -> None:
    line = {"action": "delete", "redacted_at": "2023-04-01T00:00:00Z", "reason": "deleted"}
    posts = [{"id": str(FIRST_ID), "created_at": "2023-03-01T12:00:00Z", **line}]
    users = [{"id": "12", "created_at": "2012-03-01T12:00:00Z", **line}]
    found = survey(tmp_path / "a", on_lines(posts * 2).encode())
    assert (found.file.format_name, found.events) == ("compliance-tweets", {"TweetDeleted": 2})
    found = survey(tmp_path / "b", json.dumps(users).encode())
    assert (found.file.format_name, found.events) == ("compliance-users", {"AuthorErased": 1})


def test_each_event_of_an_array_is_a_tweet_with_an_id_of_its_own(tmp_path: Path) -> None:
    found = tweets(tmp_path / "a", json.dumps([{"text": "one"}, {"text": "two"}]).encode())
    assert len({tweet.tweet_id for tweet in found}) == 2
    assert all(isinstance(tweet, TweetPosted) for tweet in found)


@pytest.mark.parametrize("wrapped", [False, True])
def test_what_stands_beside_the_tweets_of_a_page_goes_with_each(
    tmp_path: Path, wrapped: bool
) -> None:
    page: dict[str, Any] = {
        "data": [new(number, "x" * 2_000) | {"author_id": "9"} for number in range(5_000)],
        "includes": {"users": [{"id": "9", "username": "Cats"}]},
    }
    content = json.dumps([page | {"data": page["data"][:2]}] if wrapped else page).encode()
    file = prepared(tmp_path / "a", content)
    with (tmp_path / "a").open("rb") as opened:
        reading = RecordReader(file, opened, run="r", run_started_at=NOW)
        placed = next(each for each in reading.records(FilePosition()) if each is not None)
    parsed = parse_record(placed.reader, placed.record, placed.origin, NOW)
    assert parsed.events
    assert parsed.context.tweet_context().usernames == {"9": "cats"}


def test_an_array_within_lines_is_its_tweets_and_what_stands_beside_them() -> None:
    user = {"users": [{"id": "9", "username": "Cats"}]}
    documents = [{"data": new(number), "includes": user} for number in range(2)]
    reader = X_V2.reader(json.dumps(new(0)).encode() + b"\n", FormatOptions())
    origin = Origin("r", NOW, "x-v2", "content")
    parsed = reader.parse(Record(1, json.dumps(documents).encode()), origin, NOW)
    assert [event.text for event in parsed.events if isinstance(event, TweetPosted)]
    assert len(parsed.events) == 2
    assert parsed.context.tweet_context().usernames == {"9": "cats"}
