"""Whatever stands in a file: parsing raises nothing but the border's error, and what it makes is
an event for every reader."""

import json
from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from producers.archives.records import Record
from producers.formats.archive_format import ArchiveReader, parse_record
from producers.parsing.provenance import Parsed
from schemas.codec import decode_raw, encode
from schemas.events import Reference, TweetPosted
from tests.unit.archive_readers import JSON_READERS, NOW, ORIGIN, READERS

any_text = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["", " ", "\x00", "\ud800", "&amp;lt;", "&#0;", "&#xD800;", "x" * 50_001, "RT @a: b…"]
)
any_number = st.integers() | st.floats() | st.sampled_from([10**400, -1, 0, 2**63])
any_id = st.sampled_from(["800000000000000000", "1", 800000000000000000, "a b", "12\n", "-1"])
any_time = st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat) | (
    st.sampled_from(
        ["0001-01-01T00:00:00+23:59", "Wed Aug 27 13:08:45 +0000 2008", "1479483437", 1479483437938]
    )
)
any_value = st.recursive(
    st.none() | st.booleans() | any_number | any_text | any_id | any_time,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


def objects(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Objects with some of the fields, each as it should be or anything else."""
    optional = {name: st.one_of(value, any_value) for name, value in fields.items()}
    return st.fixed_dictionaries({}, optional=optional)


tweets = objects(
    id=any_id,
    text=any_text,
    note_tweet=objects(text=any_text),
    created_at=any_time,
    lang=st.sampled_from(["en", "und", "zh-TW", "\x00"]),
    author_id=any_id,
    conversation_id=any_id,
    edit_history_tweet_ids=st.lists(any_id, max_size=3),
    referenced_tweets=st.lists(
        objects(type=st.sampled_from(["retweeted", "quoted", "other"]), id=any_id), max_size=2
    ),
    possibly_sensitive=st.booleans(),
)
compliance = st.dictionaries(
    st.sampled_from(["delete", "withheld", "user_delete", "scrub_geo", "X\x00"]),
    objects(
        tweet=objects(id=any_id, author_id=any_id),
        user=objects(id=any_id),
        event_at=any_time,
        withheld_in_countries=st.lists(any_text, max_size=2),
    ),
    max_size=2,
)
documents = objects(
    data=st.one_of(tweets, st.lists(tweets, max_size=3), compliance),
    includes=objects(tweets=st.lists(tweets, max_size=2)),
    matching_rules=st.lists(objects(id=any_id, tag=any_text), max_size=2),
    errors=st.lists(any_value, max_size=1),
    meta=any_value,
)


flat_tweets = objects(
    id=any_id,
    text=any_text,
    author=objects(id=any_id),
    created_at=any_time,
    referenced_tweets=st.lists(
        objects(
            type=st.sampled_from(["retweeted", "quoted"]),
            id=any_id,
            text=any_text,
            author=objects(id=any_id),
        ),
        max_size=2,
    ),
)
old_tweets = objects(
    id=any_id,
    id_str=any_id,
    text=any_text,
    full_text=any_text,
    extended_tweet=objects(full_text=any_text),
    user=objects(id_str=any_id),
    created_at=any_time,
    retweeted_status=objects(id_str=any_id, text=any_text, user=objects(id=any_id)),
    quoted_status_id_str=any_id,
    in_reply_to_status_id=any_id,
    edit_info=objects(initial=objects(editTweetIds=st.lists(any_id, max_size=3))),
)
controls = st.dictionaries(
    st.sampled_from(["delete", "status_withheld", "user_delete", "limit", "scrub_geo"]),
    objects(
        status=objects(id=any_id, user_id=any_id),
        id=any_id,
        timestamp_ms=any_time,
        withheld_in_countries=st.lists(any_text, max_size=2),
    ),
    max_size=2,
)
old_documents = old_tweets | controls | objects(tweet=old_tweets)
rows = objects(id=any_id, text=any_text, label=any_text, created_at=any_time, author_id=any_id)


def accounted_for(parsed: Parsed) -> bool:
    return bool(parsed.events or parsed.refused or parsed.skipped)


def check(reader: ArchiveReader, raw: bytes) -> None:
    parsed = parse_record(reader, Record(7, raw), ORIGIN, NOW)
    assert accounted_for(parsed)
    for event in parsed.events:
        assert decode_raw(encode(event)) == event
    for refused in parsed.refused:
        assert refused.detail
        refused.detail.encode()


@given(documents | tweets | flat_tweets | old_documents | rows | any_value)
@example({"data": {"id": "1", "text": "\ud83d half"}})
@example({"note_tweet": {"\ud800": None}})
@example({"data": [{"id": 1, "text": "x"}, {"id": [], "text": "y"}]})
@example({"data": {"id": "1", "text": "&#99999999999;"}})
@example({"matching_rules": [{"id": 10**5000}], "data": {"id": "1", "text": "x"}})
def test_any_json_becomes_sound_events_or_says_why_not(document: object) -> None:
    try:
        raw = json.dumps(document).encode()
    except ValueError:
        raw = b'{"data":{"id":' + b"9" * 5000 + b',"text":"x"}}'
    for name in JSON_READERS:
        check(READERS[name], raw)


@given(st.binary(max_size=60))
@example(b'{"data":' + b"[" * 100_000)
@example(b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}")
@example(b'{"data":{"id":"1","text":"\xed\xa0\x80"}}')
@example(b'{"data":{"id":"1","text":"\xff"}}')
def test_any_bytes_become_sound_events_or_say_why_not(raw: bytes) -> None:
    for reader in READERS.values():
        check(reader, raw)


cells = any_text | any_id.map(str) | any_time.map(str) | st.sampled_from(['"', 'a "b" c', "1e18"])


@given(st.lists(cells, min_size=2, max_size=6), st.sampled_from(["\t", ","]), st.booleans())
def test_any_row_becomes_a_sound_event_or_says_why_not(
    row: list[str], delimiter: str, quoted: bool
) -> None:
    if quoted:
        row = ['"' + cell.replace('"', '""') + '"' for cell in row]
    raw = delimiter.join(row).encode("utf-8", "surrogatepass")
    for name in ("tsv", "semeval", "tweeteval") if delimiter == "\t" else ("csv", "sentiment140"):
        check(READERS[name], raw)


own_ids = st.integers(30_000_000_000, 2**60)


@given(st.sampled_from(JSON_READERS), own_ids, own_ids, any_text)
def test_a_tweet_is_never_another_one(name: str, own: int, other: int, text: str) -> None:
    """Whatever other ids and texts a line holds, its event has the tweet's own."""
    another = {
        "id": str(other),
        "id_str": str(other),
        "text": "another's",
        "full_text": "another's",
    }
    tweet = {
        "id": own,
        "id_str": str(own),
        "text": f"own {text}"[:50_000],
        "quoted_status_id": other,
        "quoted_status": another,
        "in_reply_to_status_id": other,
        "conversation_id": str(other),
        "referenced_tweets": [{"type": "quoted", **another}, {"type": "replied_to", **another}],
    }
    document = {"data": tweet, "includes": {"tweets": [another]}} if name == "x-v2" else tweet
    raw = json.dumps(document).encode()
    (event,) = parse_record(READERS[name], Record(7, raw), ORIGIN, NOW).events
    assert isinstance(event, TweetPosted)
    assert event.tweet_id == event.root_id == str(own)
    assert event.text.startswith("own ")


@given(st.sampled_from(["x-v2", "x-v1.1", "twarc-flat"]), own_ids, own_ids)
def test_a_retweet_has_its_own_id_and_the_whole_text_it_repeats(
    name: str, own: int, other: int
) -> None:
    whole = {"id": str(other), "text": "all of it"}
    repeated = {"type": "retweeted", **whole}
    tweet = {"id": str(own), "text": "RT @a: all o…", "retweeted_status": whole}
    documents: dict[str, object] = {
        "x-v2": {
            "data": {**tweet, "referenced_tweets": [{"type": "retweeted", "id": str(other)}]},
            "includes": {"tweets": [{"id": "1", "text": "another's"}, whole]},
        },
        "x-v1.1": tweet,
        "twarc-flat": {**tweet, "referenced_tweets": [repeated]},
    }
    raw = json.dumps(documents[name]).encode()
    (event,) = parse_record(READERS[name], Record(7, raw), ORIGIN, NOW).events
    assert isinstance(event, TweetPosted)
    assert (event.tweet_id, event.text) == (str(own), "all of it")
    assert event.retweet_of == Reference(kind="retweeted", tweet_id=str(other))
