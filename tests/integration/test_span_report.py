"""`murmur report`: one page that runs nothing, whatever is stored."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from retrain.drift.why.compare_spans import Span
from retrain.html_page import html_page, html_table
from retrain.span_report.audits import read_audits, wilson
from retrain.span_report.charts import bars_chart, lines_chart
from retrain.span_report.cli import report
from schemas.events import MatchedRule
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.integration.test_alarms import OF, keep, raised
from tests.integration.test_why import END, MIDDLE, START, day_of_tweets
from tests.unit.examples import scored_tweet
from tests.unit.retrain.test_evaluation_html_report import Seen

HOSTILE = "<script>alert(1)</script>"


def murmur_report(settings: Settings, output: Path, *arguments: str) -> Result:
    environment = {"MURMUR_POSTGRES": settings.postgres_uri}
    span = ["--run", "r", "--from", MIDDLE.isoformat(), "--to", END.isoformat()]
    return CliRunner(env=environment).invoke(report, [*span, "--output", str(output), *arguments])


def audit(connection: Connection, root_id: str, label: str) -> None:
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO labels VALUES ('r', %s, 0, 'ann', 'audit', 0, %s, false, %s)",
            (root_id, label, datetime.now(UTC)),
        )


def test_the_page_has_all_parts_and_is_for_its_owner_alone(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    store(connection, day_of_tweets())
    for number in range(30):
        audit(connection, str(1_000 + number), "negative" if number % 3 else "positive")
    keep(connection, msgspec.structs.replace(raised(MIDDLE), since=MIDDLE))
    file = tmp_path / "page.html"
    result = murmur_report(settings, file)
    assert result.exit_code == 0, result.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    seen = Seen(file.read_text(encoding="utf-8"))
    for text in ("Alarms", "Data", "Predictions", "Confidence", "Audits", "What changed", "#chaos"):
        assert text in seen.texts
    assert "airlines" in seen.texts, "a rule that moved"
    assert seen.tags.count("svg") == 3
    assert any("33.3% [" in text for text in seen.texts)
    assert any(text.startswith("the world has moved: negative share") for text in seen.texts)
    assert not [name for name, _ in seen.attributes if name in ("src", "href")]
    assert "another flight" not in file.read_text(encoding="utf-8")


def test_nothing_that_is_stored_becomes_markup(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    tweets = [
        scored_tweet(
            HOSTILE if number >= 60 else "calm",
            labels=("calm", "other"),
            tweet_id=str(number + 1),
            run="r",
            posted_at=START + timedelta(minutes=12 * number),
            text="what <b>a</b> day" if number >= 60 else "quiet",
            hashtags=(HOSTILE,) if number >= 60 else (),
            language="<i>en" if number >= 60 else "en",
            rules=(MatchedRule(tag=HOSTILE),),
        )
        for number in range(120)
    ]
    store(connection, tweets)
    of = msgspec.structs.replace(OF, rule=HOSTILE, subject=HOSTILE)
    keep(connection, raised(MIDDLE, of))
    file = tmp_path / "page.html"
    result = murmur_report(settings, file)
    assert result.exit_code == 0, result.output
    seen = Seen(file.read_text(encoding="utf-8"))
    assert not {"script", "b", "i", "img"} & set(seen.tags)
    assert HOSTILE in seen.texts
    assert f"#{HOSTILE}" in seen.texts


def test_a_span_without_audits_says_so(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    store(connection, day_of_tweets())
    file = tmp_path / "page.html"
    assert murmur_report(settings, file).exit_code == 0
    assert "Neither span was audited" in file.read_text(encoding="utf-8")


def test_audits_of_the_span_and_the_version_that_was_scored_count(connection: Connection) -> None:
    store(connection, day_of_tweets())
    audit(connection, "1000", "positive")
    audit(connection, "1001", "negative")
    audit(connection, "1399", "positive")
    with connection, connection.cursor() as cur:
        found = read_audits(cur, "r", Span(START, MIDDLE))
    assert found.counts == {("positive", "positive"): 1, ("positive", "negative"): 1}


def test_a_file_that_cannot_be_written_is_a_line(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    store(connection, day_of_tweets())
    result = murmur_report(settings, tmp_path / "nowhere" / "page.html")
    assert "cannot write" in str(result.exception)


def test_wilsons_interval_is_that_of_the_books() -> None:
    found = wilson(10, 20)
    assert found is not None
    # Newcombe 1998, Statistics in Medicine 17, 857-872: method 3.
    assert found.low == pytest.approx(0.2993, abs=1e-4)
    assert found.high == pytest.approx(0.7007, abs=1e-4)
    assert wilson(0, 0) is None


@given(of=st.integers(1, 10_000), data=st.data())
def test_an_interval_holds_its_share(of: int, data: st.DataObject) -> None:
    found = wilson(data.draw(st.integers(0, of)), of)
    assert found is not None
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(texts=st.lists(st.text(), min_size=1, max_size=4), share=st.floats(0, 1))
def test_texts_of_pages_and_charts_are_texts(texts: list[str], share: float) -> None:
    hostile = [f"{text}{HOSTILE}'\"&" for text in texts]
    chart = lines_chart(
        [0.0, 1.0], [(one, [share, 1 - share]) for one in hostile], first="a", last="b"
    )
    bars = bars_chart([(one, [share, 0.1]) for one in hostile], first=hostile[0], last="b")
    seen = Seen(html_page(hostile[0], [chart, bars, html_table(hostile, [hostile])]))
    assert "script" not in seen.tags
    assert not [name for name, _ in seen.attributes if name.startswith("on")]
