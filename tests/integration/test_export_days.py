"""An export by day writes what changed, and nothing else; a day that is gone leaves the folder."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import dataset

from schemas.events import TweetScored
from schemas.failures import Failure
from schemas.transport.postgres import Connection
from stream_processors.queries.export_days import STATE_FILE, Exported, export_days
from tests.integration.storing import store
from tests.unit.examples import deleted, scored_tweet

FIRST, SECOND = date(2016, 11, 19), date(2016, 11, 20)


def tweet(tweet_id: str, day: date, **fields: Any) -> TweetScored:
    posted_at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return scored_tweet(run="archive", tweet_id=tweet_id, posted_at=posted_at, **fields)


def read(folder: Path) -> dict[str, str]:
    """Return each tweet's day, as a reader of partitioned folders sees it."""
    table = dataset.dataset(folder, partitioning="hive", exclude_invalid_files=False).to_table()
    return dict(zip(*(table[name].to_pylist() for name in ("tweet_id", "day")), strict=True))


def test_only_days_that_changed_are_written_again(connection: Connection, tmp_path: Path) -> None:
    folder = tmp_path / "days"
    store(connection, [tweet("10", FIRST), tweet("20", FIRST), tweet("30", SECOND)])
    first = export_days(connection, "archive", folder)
    assert first == Exported(written=[FIRST, SECOND], removed=[], unchanged=0, tweets=3)
    assert read(folder) == {"10": "2016-11-19", "20": "2016-11-19", "30": "2016-11-20"}
    again = export_days(connection, "archive", folder)
    assert again == Exported(written=[], removed=[], unchanged=2, tweets=0)
    store(connection, [deleted("20", "archive"), deleted("30", "archive"), tweet("40", FIRST)])
    changed = export_days(connection, "archive", folder)
    assert changed == Exported(written=[FIRST], removed=[SECOND], unchanged=0, tweets=2)
    assert read(folder) == {"10": "2016-11-19", "40": "2016-11-19"}


def test_days_before_the_moment_are_left_alone(connection: Connection, tmp_path: Path) -> None:
    store(connection, [tweet("10", FIRST), tweet("30", SECOND)])
    export_days(connection, "archive", tmp_path / "days")
    store(connection, [deleted("10", "archive"), tweet("40", SECOND)])
    later = export_days(connection, "archive", tmp_path / "days", since=SECOND)
    assert (later.written, later.removed) == ([SECOND], [])
    assert set(read(tmp_path / "days")) == {"10", "30", "40"}


def test_another_label_is_a_column_of_every_day(connection: Connection, tmp_path: Path) -> None:
    store(connection, [tweet("10", FIRST)])
    export_days(connection, "archive", tmp_path / "days")
    other = tweet("20", SECOND, label="joy", by="b", labels=("joy", "anger"))
    store(connection, [other])
    assert export_days(connection, "archive", tmp_path / "days").written == [FIRST, SECOND]


def test_a_folder_of_something_else_is_refused(connection: Connection, tmp_path: Path) -> None:
    store(connection, [tweet("10", FIRST)])
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(Failure, match="holds other files"):
        export_days(connection, "archive", tmp_path)
    (tmp_path / "letter.txt").unlink()
    export_days(connection, "archive", tmp_path)
    state = (tmp_path / STATE_FILE).read_text().replace("archive", "other")
    (tmp_path / STATE_FILE).write_text(state)
    with pytest.raises(Failure, match="holds run 'other'"):
        export_days(connection, "archive", tmp_path)
