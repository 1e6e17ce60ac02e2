"""What databases, queues, scrapers and data frames make of tweets is read, or named."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.formats.archive_format import FormatOptions
from producers.formats.documents_on_a_line import documents_on
from schemas.events import TweetPosted
from schemas.failures import Failure
from tests.unit.archive_replays import prepared, survey, tweets

POSTED = datetime(2009, 5, 3, 22, 15, 7, tzinfo=UTC)
"""Ids of that time hold none, so `created_at` is needed."""

ISO = "2009-05-03T22:15:07.000Z"
V1 = "Sun May 03 22:15:07 +0000 2009"
LONG = "whole words " * 20 + "end"
CUT = LONG[:139] + "…"
MILLISECONDS = int(POSTED.timestamp() * 1_000)
ROWS: list[dict[str, Any]] = [
    {"id": "1700000123", "text": "first, «words»\nof two lines", "created_at": ISO},
    {"id": "1700000124", "text": 'a "quote" \\ and $5', "created_at": ISO},
    {"id": "1700000125", "text": LONG, "created_at": ISO},
]
WANTED = [(row["id"], row["text"], POSTED) for row in ROWS]


def lines(documents: list[Any]) -> bytes:
    return b"".join(json.dumps(each).encode() + b"\n" for each in documents)


def each(shape: Callable[[dict[str, Any]], Any]) -> bytes:
    return lines([shape(row) for row in ROWS])


def columns_of(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: {str(n): row[name] for n, row in enumerate(rows)} for name in rows[0]}


def old(row: dict[str, Any]) -> dict[str, Any]:
    return {"id_str": row["id"], "full_text": row["text"], "created_at": V1, "user": {"id": 42}}


def result(row: dict[str, Any]) -> dict[str, Any]:
    legacy = {"created_at": V1, "full_text": row["text"][:280], "id_str": row["id"]}
    note = {"note_tweet_results": {"result": {"text": row["text"]}}}
    user = {"user_results": {"result": {"rest_id": "42", "legacy": {"screen_name": "u"}}}}
    return {"__typename": "Tweet", "rest_id": row["id"], "core": user, "legacy": legacy} | (
        {"note_tweet": note} if len(row["text"]) > 280 else {}
    )


def timeline(row: dict[str, Any]) -> dict[str, Any]:
    return {"itemContent": {"tweet_results": {"result": {"tweet": result(row)}}}}


def csv_of(header: list[str], rows: list[list[str]]) -> bytes:
    content = io.StringIO(newline="")
    csv.writer(content).writerows([header, *rows])
    return content.getvalue().encode()


EXPORTS: dict[str, bytes] = {
    "MongoDB's extended JSON": each(
        lambda row: {
            "_id": {"$oid": "5e5ba4"},
            "id": {"$numberLong": row["id"]},
            "text": row["text"],
            "created_at": {"$date": {"$numberLong": str(MILLISECONDS)}},
            "user": {"id": {"$numberLong": "42"}},
        }
    ),
    "MongoDB's dates as texts": each(lambda row: {**row, "created_at": {"$date": ISO}}),
    "Avro's JSON of unions": each(
        lambda row: {
            "id": {"long": int(row["id"])},
            "text": {"string": row["text"]},
            "created_at": {"long": MILLISECONDS},
        }
    ),
    "DynamoDB": each(lambda row: {"Item": {name: {"S": text} for name, text in row.items()}}),
    "Elasticsearch's scroll": json.dumps(
        {"took": 3, "hits": {"total": 3, "hits": [{"_id": "x", "_source": old(r)} for r in ROWS]}}
    ).encode(),
    "Elasticsearch's lines": each(lambda row: {"_index": "t", "_id": "x", "_source": row}),
    "Elasticsearch's bulk": lines([x for r in ROWS for x in ({"index": {"_id": "x"}}, r)]),
    "CouchDB": json.dumps({"offset": 0, "rows": [{"id": "x", "doc": r} for r in ROWS]}).encode(),
    "Debezium": each(lambda row: {"schema": {}, "payload": {"before": None, "after": row}}),
    "kcat": each(lambda row: {"topic": "t", "offset": 1, "payload": json.dumps(row)}),
    "Logstash": each(lambda row: {"@timestamp": ISO, "message": json.dumps(old(row))}),
    "GeoJSON": json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "F", "properties": r} for r in ROWS]},
        indent=1,
    ).encode(),
    "pandas by columns": json.dumps(columns_of(ROWS)).encode(),
    "pandas split": json.dumps(
        {"columns": list(ROWS[0]), "index": [0, 1, 2], "data": [list(r.values()) for r in ROWS]}
    ).encode(),
    "pandas by rows": json.dumps({str(n): row for n, row in enumerate(ROWS)}).encode(),
    "pandas as a table": json.dumps({"schema": {"fields": []}, "data": ROWS}).encode(),
    "BigQuery's seconds": each(lambda row: {**row, "created_at": "1.241388907E9"}),
    "a zone by name": each(lambda row: {**row, "created_at": "2009-05-04 00:15:07 CEST"}),
    "a zone in X's dates": each(lambda row: {**old(row), "created_at": V1.replace("+0000", "UTC")}),
    "names in camel case": each(
        lambda row: {
            "id": row["id"],
            "text": row["text"][:139],
            "fullText": row["text"],
            "createdAt": V1,
            "author": {"id": "42", "userName": "u"},
        }
    ),
    "an array under a name, spelled otherwise": json.dumps(
        {"tweets": [{"tweetID": r["id"], "tweetText": r["text"], "timeStamp": ISO} for r in ROWS]}
    ).encode(),
    "one after the other on one line": b"".join(json.dumps(old(row)).encode() for row in ROWS),
    "two on a line": json.dumps(old(ROWS[0])).encode()
    + b" "
    + json.dumps(old(ROWS[1])).encode()
    + b"\n\0\0"
    + json.dumps(old(ROWS[2])).encode()
    + b"\0\n",
    "X's own pages": json.dumps(
        {"data": {"user": {"result": {"entries": [{"content": timeline(r)} for r in ROWS]}}}},
        indent=2,
    ).encode(),
    "X's own results on lines": each(result),
    "a table with a full text": csv_of(
        ["created_at", "id", "text", "full_text"],
        [[V1, r["id"], r["text"][:139], r["text"]] for r in ROWS],
    ),
    "a table with other names": csv_of(
        ["Tweet Id", "Full Text", "Date", "Sentiment"],
        [[r["id"], r["text"], "2009-05-03 22:15:07", "positive"] for r in ROWS],
    ),
    "a table with X's date under another name": csv_of(
        ["tweet_id", "text", "tweet_created"],
        [[r["id"], r["text"], "2009-05-03 14:15:07 -0800"] for r in ROWS],
    ),
}


def read(path: Path, content: bytes) -> list[tuple[str, str, datetime]]:
    return [(each.tweet_id, each.text, each.posted_at) for each in tweets(path, content)]


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_read_whole(tmp_path: Path, name: str) -> None:
    assert read(tmp_path / "a", EXPORTS[name]) == WANTED
    assert survey(tmp_path / "b", EXPORTS[name]).damage is None


def test_tweets_kept_by_their_ids_have_them(tmp_path: Path) -> None:
    own_id = "1367406984688570369"
    content = json.dumps({own_id: {"text": "words", "user": {"id": "42"}}}, indent=1).encode()
    (tweet,) = tweets(tmp_path / "a", content)
    assert (tweet.tweet_id, tweet.author_id) == (own_id, "42")


def test_a_result_of_xs_pages_has_what_it_repeats(tmp_path: Path) -> None:
    repeated = result({"id": "1367406984688570369", "text": LONG})
    outer = result({"id": "1367406984688570999", "text": "RT @u: " + CUT})
    outer["legacy"]["retweeted_status_result"] = {"result": repeated}
    (tweet,) = tweets(tmp_path / "a", json.dumps({"data": [outer]}).encode())
    assert tweet.text == LONG
    assert [ref.tweet_id for ref in tweet.references] == ["1367406984688570369"]
    assert (tweet.author_id, tweet.source) == ("42", "x-graphql")


def test_parquet_columns_are_known_however_they_are_spelled(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = pa.table({"tweetText": ["words"], "tweetId": [1700000123], "createdAt": [POSTED]})
    pq.write_table(table, path)
    (found,) = tweets(path, path.read_bytes())
    assert (found.tweet_id, found.text, found.posted_at) == ("1700000123", "words", POSTED)
    assert survey(path, path.read_bytes()).findings.taken_for == {
        "tweetText": "text",
        "tweetId": "id",
        "createdAt": "created_at",
    }


def test_what_is_taken_and_what_is_passed_over_is_named_in_every_json(tmp_path: Path) -> None:
    for extra in ({"author": {"id": "1"}}, {"user": {"id": 1}}, {}):
        found = survey(tmp_path / "a", lines([{**ROWS[0], **extra, "sentiment": "good"}]))
        assert list(found.findings.passed_over) == ["sentiment"]
    page = {"data": [{"id": "1367406984688570369", "text": "w", "sentiment": "good"}], "meta": {}}
    found = survey(tmp_path / "a", lines([page]))
    assert list(found.findings.passed_over) == ["data.sentiment"]
    found = survey(tmp_path / "a", EXPORTS["names in camel case"])
    assert found.findings.taken_for == {
        "fullText": "full_text",
        "createdAt": "created_at",
        "author": "user",
    }
    assert survey(tmp_path / "a", EXPORTS["kcat"]).findings.taken_for == {"payload": "the tweet"}


def test_xs_own_fields_are_none_that_are_passed_over(tmp_path: Path) -> None:
    golden = Path(__file__).parents[2] / "golden" / "archives"
    for name in ("x_v1_1_lines.jsonl", "twarc_flat.jsonl", "x_v2_lines.jsonl", "x_v2_page.json"):
        found = survey(tmp_path / "a", (golden / name).read_bytes())
        assert not found.findings.taken_for, name


def test_a_time_of_day_is_taken_for_no_date_and_asked_about(tmp_path: Path) -> None:
    content = csv_of(["id", "text", "time"], [[r["id"], r["text"], "22:15:07"] for r in ROWS])
    found = survey(tmp_path / "a", content)
    assert found.findings.untimed == len(ROWS)
    assert any("--columns created_at=time" in said for said in found.findings.sentences())


def test_a_torn_document_costs_itself_alone(tmp_path: Path) -> None:
    whole = [json.dumps(old(row)).encode() for row in ROWS]
    content = whole[0] + b"\n" + whole[1][:40] + whole[2] + b"\n"
    assert [own_id for own_id, _, _ in read(tmp_path / "a", content)] == [
        "1700000123",
        "1700000125",
    ]
    assert survey(tmp_path / "a", content).refused.total() == 1


def test_a_line_that_is_torn_again_and_again_is_looked_at_some_times() -> None:
    assert len(documents_on(b'{"a":' * 100_000)) <= 21


@pytest.mark.parametrize(
    ("cut", "events"),
    [
        (b"[" + b",".join(each(old).splitlines()[:2]) + b",", 2),
        (json.dumps(ROWS, indent=2).encode().rsplit(b"  {", 1)[0], 2),
        (json.dumps(ROWS, indent=2).encode()[:-30], 2),
        (b'{"statuses":[' + b",".join(each(old).splitlines()[:2]), 2),
        (each(old)[:-30], 2),
        (b'{"data":[' + lines(ROWS[:2]).replace(b"\n", b","), 0),
    ],
)
def test_what_is_cut_is_not_read_to_its_end(tmp_path: Path, cut: bytes, events: int) -> None:
    found = survey(tmp_path / "a", cut, force=True)
    assert found.events.total() == events
    assert found.damage is not None
    assert "it was cut, or is not whole yet" in found.damage


NAMED: dict[str, tuple[bytes, str]] = {
    "comments": (b"// made by us\n[\n" + b",".join(each(old).splitlines()) + b"]", "a comment"),
    "YAML": (b'- id: "1"\n  text: words\n', "YAML"),
    "HAR": (b'{"log": {"version": "1.2", "entries": []}}', "HAR"),
    "Postman": (b'{"info": {"_postman_id": "a"}, "item": []}', "Postman"),
    "lists": (lines([[r["id"], r["text"]] for r in ROWS]), "lists without names"),
    "a consumer's keys": (each(old).replace(b'{"id_str', b'key\t{"id_str'), "behind a key"),
    "MongoDB's shell": (b'{ "_id" : ObjectId("5e"), "text" : "w" }', "mongoexport"),
    "a terminal's table": (b" id | text\n----+------\n 1 | w\n", r"psql: \\copy"),
    "rows quoted as a whole": (b'"id,text"\n"1,""words, more"""\n', "quoted as a whole"),
    "lines before the header": (b"Report:,a\n\nid,Full Text\n1,w\n", "its header is line 2"),
    "an empty column that sounds like a text": (
        csv_of(["opening text", "hit sentence"], [["", "these are words"]] * 3),
        'text="hit sentence"',
    ),
    "names with brackets": (csv_of(["date (utc)", "tweet"], [["x", "w"]] * 2), "text=tweet"),
    "rounded ids": (lines([{"id": 1.3674e18, "text": "words"}]), "--columns id=-"),
    "a zone that means several": (
        lines([{**ROWS[0], "created_at": "2009-05-03 22:15:07 IST"}]),
        "as IST and BST, are not read",
    ),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_read_is_named_with_what_helps(tmp_path: Path, name: str) -> None:
    content, said = NAMED[name]
    with pytest.raises(Failure, match=said):
        prepared(tmp_path / "a", content)


def test_a_parquet_file_of_objects_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"tweet": [{"id": "1", "text": "w"}]}), path)
    with pytest.raises(Failure, match=r"it has tweet \(columns of objects"):
        prepared(path, path.read_bytes())


def test_advice_is_given_where_only_some_rows_fail(tmp_path: Path) -> None:
    content = "id,text\n1700000123,words\n1700000124,caf\xe9\n".encode("latin-1")
    found = survey(tmp_path / "a", content)
    assert found.events.total() == 1
    assert any("iconv -f WINDOWS-1252" in said for said in found.findings.sentences())


def test_texts_that_were_read_in_another_encoding_before_are_told(tmp_path: Path) -> None:
    texts = ["Grüße aus München", "schön – hier", "il ‘café’ è qui", "😀 so gut", "São Paulo, AÇÃO"]
    for shown, count in ((texts, 0), ([t.encode().decode("cp1252", "replace") for t in texts], 5)):
        found = survey(tmp_path / "a", csv_of(["text", "x"], [[text, "1"] for text in shown]))
        assert found.findings.misread_texts == count
        assert any("read as another encoding" in s for s in found.findings.sentences()) == (
            count > 0
        )


STRAY = b'id,text\n1700000123,plain\n1700000124,"opens\n1700000125,three\n1700000126,ends"\n'


def test_a_stray_quote_costs_its_line_where_rows_follow(tmp_path: Path) -> None:
    found = survey(tmp_path / "a", STRAY)
    assert [each.text for each in tweets(tmp_path / "a", STRAY)] == ["plain", "three", 'ends"']
    assert found.refused.total() == 1
    assert any("never closed" in said for said in found.findings.sentences())


def test_a_text_of_several_lines_is_one_also_where_it_has_commas(tmp_path: Path) -> None:
    text = "one, two\nthree, four\nfive, six\n12, 13\n2021, 2022"
    content = csv_of(["id", "text"], [["1700000123", text]])
    (tweet,) = tweets(tmp_path / "a", content)
    assert tweet.text == text


def test_lines_that_may_be_rows_are_told_where_nothing_is_sure(tmp_path: Path) -> None:
    content = b'text,label,place\na,b,c\n"opens,b,c\nd,e,f\ng,h,i\nj,k,l\nm,n",o,p\n'
    found = survey(tmp_path / "a", content)
    assert found.findings.swallowed_lines == 3
    assert any("begins at line 3" in said for said in found.findings.sentences())


@pytest.mark.parametrize("kind", ["x-v2", "page", "twarc-flat", "x-v1.1", "table"])
def test_a_time_other_than_the_ids_is_counted_in_every_format(tmp_path: Path, kind: str) -> None:
    row = {"id": "1367406984688570369", "text": "words"}
    other = {"created_at": "2014-01-01T00:00:00.000Z"}
    content = {
        "x-v2": lines([row | other, row]),
        "page": lines([{"data": [row | other, row], "meta": {}}]),
        "twarc-flat": lines([row | other | {"author": {"id": "1"}}]),
        "x-v1.1": lines([row | {"user": {"id": 1}, "created_at": V1}]),
        "table": csv_of(["id", "text", "created_at"], [[row["id"], "w", "2014-01-01"]]),
    }[kind]
    found = survey(tmp_path / "a", content)
    assert found.overruled_times == 1
    assert all(e.posted_at.year == 2021 for e in tweets(tmp_path / "a", content))


def test_options_are_heard_where_names_are_known(tmp_path: Path) -> None:
    options = FormatOptions(mapping=(("created_at", "-"), ("text", "note")))
    content = csv_of(["id", "date", "full_text", "note"], [["1700000123", ISO, "w", "meant"]])
    (tweet,) = tweets(tmp_path / "a", content, options)
    assert isinstance(tweet, TweetPosted)
    assert tweet.text == "meant"
    assert tweet.posted_at.year == 2026
