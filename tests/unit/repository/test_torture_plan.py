"""A torture can be repeated, and does what it is said to do."""

from collections import Counter
from datetime import UTC, datetime
from itertools import islice

from schemas.codec import InvalidEvent, decode_raw, decode_scored
from schemas.events import TweetPosted
from schemas.topics import RAW
from tests.torture.plan import RARE, WORKER_KILLS, faults
from tests.torture.tweets import JUNK, POISON, history

BEGAN_AT = datetime(2026, 11, 21, tzinfo=UTC)
TWEETS = 800


def test_a_seed_repeats_a_plan_and_another_does_not() -> None:
    assert history(7, TWEETS, BEGAN_AT) == history(7, TWEETS, BEGAN_AT)
    assert history(7, TWEETS, BEGAN_AT) != history(8, TWEETS, BEGAN_AT)
    assert list(islice(faults(7), 100)) == list(islice(faults(7), 100))
    assert list(islice(faults(7), 100)) != list(islice(faults(8), 100))


def test_every_round_of_faults_has_each_kind_and_as_many_worker_kills() -> None:
    kinds = Counter(fault.kind for fault in islice(faults(1), 2 * len(RARE)))
    assert all(kinds[kind] == 1 for kind in RARE)
    assert sum(kinds[kind] for kind in WORKER_KILLS) == len(RARE)


def test_all_poison_is_refused_by_its_reader_and_no_event_is() -> None:
    bad = 0
    for message in history(1, TWEETS, BEGAN_AT):
        decode = decode_raw if message.topic == RAW else decode_scored
        try:
            event = decode(message.value)
        except InvalidEvent:
            bad += message.event is None
            continue
        assert event == message.event
    assert bad == POISON + JUNK


def test_the_history_has_everything_that_a_stream_has() -> None:
    events = [message.event for message in history(1, TWEETS, BEGAN_AT)]
    posts = [event for event in events if isinstance(event, TweetPosted)]
    kinds = Counter(type(event).__name__ for event in events)
    first_seen = {
        event.tweet_id: place
        for place, event in reversed(list(enumerate(events)))
        if isinstance(event, TweetPosted)
    }
    early = [
        event
        for place, event in enumerate(events)
        if place < first_seen.get(getattr(event, "tweet_id", ""), 0)
    ]
    assert len({post.root_id for post in posts}) == TWEETS
    assert min(kinds[name] for name in ("TweetDeleted", "TweetWithheld", "AuthorErased")) >= 5
    assert any(post.version > 0 for post in posts)
    assert any(post.references for post in posts)
    assert len(posts) > len({post.tweet_id for post in posts})
    assert early
