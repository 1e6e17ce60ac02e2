"""What is taken for what in a table, where it was put together, and which ids are rounded."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from producers.cli import replay
from producers.formats.archive_format import FormatOptions
from producers.option_types import Columns, NamedColumns
from producers.replay.findings import sentences_on
from schemas.failures import Failure
from tests.unit.archive_replays import prepared, survey, tweets

OWN_ID = 1_630_900_690_744_246_273
HEADER_2 = b"id,text,label\n"


def named(columns: str) -> FormatOptions:
    found = Columns().convert(columns, None, None)
    return FormatOptions(columns=found.by_position, mapping=found.by_name)


def said_of(path: Path, content: bytes) -> str:
    found = survey(path, content)
    return "\n".join(sentences_on([("a", found.findings)]))


@pytest.mark.parametrize(
    ("written", "understood"),
    [
        ("id,label, text", NamedColumns(("id", "label", "text"), ())),
        ("-,id,text", NamedColumns(("-", "id", "text"), ())),
        (
            "text=Tweet Text,id=tweet_id",
            NamedColumns(None, (("text", "Tweet Text"), ("id", "tweet_id"))),
        ),
        (
            'text="Tweet, all of it",label=-',
            NamedColumns(None, (("text", "Tweet, all of it"), ("label", "-"))),
        ),
    ],
)
def test_columns_are_named_in_order_or_by_the_names_that_they_have(
    written: str, understood: NamedColumns
) -> None:
    assert Columns().convert(written, None, None) == understood


@pytest.mark.parametrize("written", ["text=a,b", "words=a", "text=a,text=b", "text="])
def test_columns_that_make_no_sense_are_a_wrong_call(tmp_path: Path, written: str) -> None:
    (tmp_path / "a.csv").write_bytes(b"text\nx\n")
    done = CliRunner().invoke(replay, [str(tmp_path / "a.csv"), "--columns", written])
    assert done.exit_code == 2
    assert "--columns" in done.output


def test_a_column_is_mapped_by_its_name_whatever_its_case(tmp_path: Path) -> None:
    content = b'Nr,Tweet Text,tweet_id,Mood\n1,"one, two",%d,fine\n' % OWN_ID
    (tweet,) = tweets(
        tmp_path / "a.csv", content, named('text="Tweet Text",id=tweet_id,label=mood')
    )
    assert (tweet.tweet_id, tweet.text, tweet.label) == (str(OWN_ID), "one, two", "fine")
    with pytest.raises(Failure, match="no column named words: the header has nr, tweet text"):
        survey(tmp_path / "a.csv", content, named("text=words"))


def test_fields_of_json_and_columns_of_parquet_are_mapped_too(tmp_path: Path) -> None:
    record = {"rawContent": "words", "id": OWN_ID, "date": "2023-03-01T12:00:00+00:00"}
    options = named("text=rawContent,created_at=date")
    (tweet,) = tweets(tmp_path / "a.jsonl", json.dumps(record).encode(), options)
    assert (tweet.tweet_id, tweet.text) == (str(OWN_ID), "words")
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: [value] for name, value in record.items()}), path)
    assert [each.text for each in tweets(path, path.read_bytes(), options)] == ["words"]


def test_ids_may_be_left_out(tmp_path: Path) -> None:
    (tweet,) = tweets(tmp_path / "a.csv", b"id,text\n1.63E+18,words\n", named("id=-"))
    assert len(tweet.tweet_id) == 32


def test_columns_that_are_passed_over_or_taken_for_others_are_named(tmp_path: Path) -> None:
    said = said_of(tmp_path / "a.csv", b"tweet_id,text,sentiment\n%d,words,fine\n" % OWN_ID)
    assert "columns read under another name: tweet_id as id" in said
    assert "columns that were not read: sentiment (--columns label=NAME reads one as label)" in said
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["words"], "mood": ["fine"]}), path)
    assert "columns that were not read: mood" in said_of(path, path.read_bytes())
    bare = json.dumps({"id": str(OWN_ID), "text": "words", "sentiment": "fine"}).encode()
    assert "columns that were not read: sentiment" in said_of(tmp_path / "a.jsonl", bare)


@pytest.mark.parametrize("name", ["Datum", "Erstellt am", "Zeitstempel", "Veröffentlicht am"])
def test_a_german_column_of_dates_holds_the_times(tmp_path: Path, name: str) -> None:
    content = f"Text;{name}\nguten Tag;21.03.2023 14:05\nauch so;22.03.2023 09:00\n".encode()
    found = survey(tmp_path / "a.csv", content)
    assert found.findings.untimed == 0
    assert f"{name.lower()} as created_at" in said_of(tmp_path / "a.csv", content).lower()


def test_labels_that_are_not_those_of_sentiment_are_named(tmp_path: Path) -> None:
    rows = b"".join(b"%d,words,%s\n" % (OWN_ID + n, b"positiv") for n in range(3))
    said = said_of(tmp_path / "a.csv", b"id,text,label\n%s%d,words,negative\n" % (rows, OWN_ID + 9))
    assert "labels that people gave: 3 'positiv', 1 'negative'" in said
    assert "negative, neutral, positive" in said
    known = said_of(tmp_path / "a.csv", b"id,text,label\n%d,words,negative\n" % OWN_ID)
    assert "labels that people gave" not in known


@pytest.mark.parametrize("own_id", ["x%d", "'%d", '"=""%d"""', "%d"])
def test_an_id_is_known_without_what_kept_it_from_being_rounded(
    tmp_path: Path, own_id: str
) -> None:
    content = f"status_id,text\n{own_id % OWN_ID},words\n".encode()
    assert [tweet.tweet_id for tweet in tweets(tmp_path / "a.csv", content)] == [str(OWN_ID)]


@pytest.mark.parametrize("nothing", ["", "nan", "NaN", "null", "None", "NA", "<NA>", "NaT"])
def test_what_says_that_there_is_nothing_is_nothing(tmp_path: Path, nothing: str) -> None:
    content = f"id,text,created_at,author_id,lang\n{nothing},words,{nothing},{nothing},{nothing}\n"
    found = survey(tmp_path / "a.csv", content.encode())
    assert (found.events.total(), found.findings.dropped) == (1, {})


@pytest.mark.parametrize("author", ["1234.0", "1234", "x12345"])
def test_an_author_is_known_as_a_number_too(tmp_path: Path, author: str) -> None:
    (tweet,) = tweets(tmp_path / "a.csv", f"text,author_id\nwords,{author}\n".encode())
    assert tweet.author_id == author.removesuffix(".0").removeprefix("x")


def test_an_author_that_is_none_costs_nothing_but_itself(tmp_path: Path) -> None:
    found = survey(tmp_path / "a.csv", b"text,author_id\nwords,some one\n")
    assert (found.events.total(), found.findings.dropped) == (1, {"author_id": 1})


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_a_header_at_a_seam_is_no_tweet(
    tmp_path_factory: pytest.TempPathFactory, bom: bytes, parts: list[int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "seam.csv"
    rows = [b"".join(b"%d,words %d,fine\n" % (n, n) for n in range(count)) for count in [1, *parts]]
    found = survey(path, b"".join(bom + HEADER_2 + part for part in rows))
    assert found.events.total() == 1 + sum(parts)
    assert found.skipped["repeated-header"] == len(parts)
    assert found.labels == {"fine": 1 + sum(parts)}


def test_below_a_header_of_another_order_nothing_is_taken_for_what_it_is_not(
    tmp_path: Path,
) -> None:
    content = HEADER_2 + b"1,one,fine\nid,label,text\n2,sad,two\n3,sad,three\n"
    found = survey(tmp_path / "a.csv", content)
    assert found.events.total() == 1
    assert found.refused == {"unreadable-line": 3}
    assert found.labels == {"fine": 1}


def test_a_bom_at_a_seam_of_json_lines_costs_nothing(tmp_path: Path) -> None:
    line = b'\xef\xbb\xbf{"id":"%d","text":"words"}\n'
    assert len(tweets(tmp_path / "a", line % 1 + line % 2)) == 2


@pytest.mark.parametrize(
    "content",
    [b"id,text,\n1,one,\n2,two,\n", b"id,text\n1,one,\n2,two\n", b"id,text,,\n1,one\n2,two,,\n"],
)
def test_an_empty_last_column_is_none(tmp_path: Path, content: bytes) -> None:
    assert [tweet.text for tweet in tweets(tmp_path / "a.csv", content)] == ["one", "two"]


def test_a_tsv_is_quoted_where_its_rows_show_it(tmp_path: Path) -> None:
    content = (
        b'text\tlabel\nplain\tfine\n"she said ""no"" twice"\tfine\n'
        b'"two\nlines"\tfine\n"a\tb"\tfine\n'
    )
    path = tmp_path / "a.tsv"
    found = tweets(path, content)
    assert [tweet.text for tweet in found] == ["plain", 'she said "no" twice', "two\nlines", "a\tb"]
    assert {tweet.label for tweet in found} == {"fine"}
    assert "quoted" in prepared(path, content).key.read_as


def test_labels_never_keep_their_quotes(tmp_path: Path) -> None:
    content = b'"text"\t"label"\n"one"\t"fine"\n"two"\t"sad"\n'
    found = tweets(tmp_path / "a.tsv", content)
    assert [(tweet.text, tweet.label) for tweet in found] == [("one", "fine"), ("two", "sad")]
    plain = b'id\tlabel\ttext\n1\tfine\t"To be" or "not"\n2\tsad\tit is 5" long\n'
    assert [tweet.text for tweet in tweets(tmp_path / "b.tsv", plain)] == [
        '"To be" or "not"',
        'it is 5" long',
    ]


def test_rows_that_repeat_an_id_with_another_text_are_counted(tmp_path: Path) -> None:
    rows = [f"{OWN_ID + n // 6},words {n}" for n in range(40)] + [f"{OWN_ID},words 0"]
    found = survey(tmp_path / "a.csv", ("id,text\n" + "\n".join(rows)).encode())
    assert found.findings.ids.repeats == 33
    (said,) = sentences_on([("a", found.findings)])
    assert "33 rows repeat an id with another text" in said


@pytest.mark.parametrize(
    ("step", "said"),
    [(256, "are rounded"), (10_000, "end in zeros behind 15 digits"), (1, None)],
)
def test_ids_that_lost_their_digits_are_recognised(
    tmp_path: Path, step: int, said: str | None
) -> None:
    ids = [(OWN_ID + n * 1_000_003) // step * step for n in range(400)]
    found = said_of(
        tmp_path / "a.csv", ("id,text\n" + "\n".join(f"{n},same" for n in ids)).encode()
    )
    assert (said in found) if said is not None else not found
