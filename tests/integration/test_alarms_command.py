"""`murmur alarms`: found, shown with what changed, and acknowledged."""

import json
from datetime import timedelta

import msgspec
import pytest
from click.testing import CliRunner, Result

from retrain.drift.alarm import AlarmId, AlarmKind, Raised, Signal
from retrain.drift.alarm_store import alarm_key
from retrain.drift.alarms.cli import alarms
from retrain.drift.figures.read_figures import read_drift_figures
from retrain.drift.why.compare_spans import Span
from retrain.span_report.page import page
from retrain.span_report.read_report import read_report
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from stream_processors.retention.run_deletion import delete_run
from tests.integration.storing import store
from tests.integration.test_alarms import HOUR, OF, START, ended, keep, raised
from tests.integration.test_why import END, MIDDLE, day_of_tweets
from tests.unit.examples import model
from tests.watched import count_hours

OTHER = AlarmId(run="live", rule="", signal=Signal.CONFIDENCE)


def murmur_alarms(settings: Settings, *arguments: str, code: int = 0) -> Result:
    environment = {"MURMUR_POSTGRES": settings.postgres_uri}
    result = CliRunner(env=environment).invoke(alarms, arguments)
    assert result.exit_code == code, (result.output, result.exception)
    return result


def listed(settings: Settings, *arguments: str) -> list[str]:
    found = json.loads(murmur_alarms(settings, "list", "--json", *arguments).stdout)
    return [alarm["alarm_id"] for alarm in found["alarms"]]


def of_the_model(hours: int) -> Raised:
    return msgspec.structs.replace(raised(START + hours * HOUR, OTHER), kind=AlarmKind.MODEL)


def test_open_alarms_come_first_and_filters_choose(
    connection: Connection, settings: Settings
) -> None:
    keep(connection, raised(), of_the_model(1), ended(START + HOUR), raised(START - 9 * HOUR))
    done = alarm_key(OF, START)
    still, confidence = alarm_key(OF, START - 9 * HOUR), alarm_key(OTHER, START + HOUR)
    assert listed(settings) == [confidence, still, done]
    assert listed(settings, "--open") == [confidence, still]
    assert listed(settings, "--kind", "model") == [confidence]
    assert listed(settings, "--rule", "airlines", "--run", "r") == [still, done]
    assert listed(settings, "--rule", "") == [confidence]
    assert listed(settings, "--limit", "1") == [confidence]


def test_silence_for_want_of_tweets_is_said(connection: Connection, settings: Settings) -> None:
    store(connection, day_of_tweets())
    count_hours(connection, "r", MIDDLE, [49, 50, 20, 20, 20])
    result = murmur_alarms(settings, "list", "--run", "r")
    assert "not judged: 3 of 4 windows of run r had fewer than 50 tweets" in result.stderr
    (told,) = json.loads(murmur_alarms(settings, "list", "--json").stdout)["not_judged"]
    assert (told["run"], told["too_few"], told["windows"], told["least_tweets"]) == ("r", 3, 4, 50)
    with connection, connection.cursor() as cur:
        seen = read_drift_figures(cur, "r", "", windows=3).not_judged
        report = read_report(cur, "r", before=None, after=Span(MIDDLE, MIDDLE + 2 * HOUR))
        calm = read_report(cur, "r", before=None, after=Span(MIDDLE + HOUR, MIDDLE + 2 * HOUR))
    assert seen is not None
    assert (seen.too_few, seen.windows) == (2, 2), "the open hour may still grow"
    assert "not judged: 1 of 2 windows of run r had fewer than 50 tweets" in page(report)
    assert "not judged" not in page(calm)
    slip = murmur_alarms(settings, "list", "--rule", "x", "--json")
    assert json.loads(slip.stdout) == {"total": 0, "alarms": [], "not_judged": []}
    assert slip.stderr.startswith("no run has a tweet of rule 'x'; ")
    nowhere = murmur_alarms(settings, "list", "--run", "nobody", code=1)
    assert "there is no run 'nobody'; there are r" in str(nowhere.exception)


def test_a_person_reads_which_kind_it_is(connection: Connection, settings: Settings) -> None:
    keep(connection, raised(), of_the_model(1))
    lines = murmur_alarms(settings, "list").stdout.splitlines()
    (world,) = [line for line in lines if "the world has moved" in line]
    (wrong,) = [line for line in lines if "the model may be wrong" in line]
    assert "negative share of rule airlines is 51 % where 38 % was expected" in world
    assert "mean confidence of all tweets of run live" in wrong


def test_an_alarm_is_shown_with_what_changed(connection: Connection, settings: Settings) -> None:
    store(connection, day_of_tweets())
    alarm = msgspec.structs.replace(
        raised(),
        since=MIDDLE,
        window_start=END - HOUR,
        window_end=END,
        model_sha256=model().sha256,
    )
    keep(connection, alarm)
    key = alarm_key(OF, END - HOUR)
    found = json.loads(murmur_alarms(settings, "show", key, "--json").stdout)
    assert found["why"]["changed"]["label"] == "negative"
    assert found["why"]["before"]["start"] == (MIDDLE - timedelta(days=7)).isoformat().replace(
        "+00:00", "Z"
    )
    assert "strike" in {moved["name"] for moved in found["why"]["changed"]["moved"]}
    shown = murmur_alarms(settings, "show", key[:8]).stdout
    assert shown.startswith("the world has moved: negative share of rule airlines")
    assert "#chaos" in shown


def test_it_is_held_against_its_reference_if_that_is_known_and_stored(
    connection: Connection, settings: Settings
) -> None:
    store(connection, day_of_tweets())
    alarm = msgspec.structs.replace(raised(), since=MIDDLE, window_start=END - HOUR, window_end=END)
    keep(connection, alarm)
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE IF NOT EXISTS watch_references (run text, rule text, model_sha256 text,"
            " span_from timestamptz, span_until timestamptz, used boolean, tweets bigint,"
            " reference json, made_at timestamptz DEFAULT now(), chosen boolean)"
        )
        cursor.execute(
            "INSERT INTO watch_references (run, rule, model_sha256, span_from, span_until, used,"
            " tweets, reference, chosen) VALUES ('r', 'airlines', %s, %s, %s, true, 1, '{}', true)",
            (alarm.model_sha256, MIDDLE - 8 * HOUR, MIDDLE - 2 * HOUR),
        )

    def before() -> dict[str, str]:
        key = alarm_key(OF, END - HOUR)
        found = json.loads(murmur_alarms(settings, "show", key, "--json").stdout)
        return {name: found["why"]["before"][name] for name in ("start", "end")}

    assert before() == {"start": "2016-11-17T04:00:00Z", "end": "2016-11-17T10:00:00Z"}
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE watch_references SET span_from = '2001-01-01', span_until = '2001-02-01'"
        )
    assert before() == {"start": "2016-11-10T12:00:00Z", "end": "2016-11-17T12:00:00Z"}


def test_an_alarm_whose_tweets_are_gone_is_still_shown(
    connection: Connection, settings: Settings
) -> None:
    keep(connection, raised())
    key = alarm_key(OF, START)
    assert "cannot say what changed" in murmur_alarms(settings, "show", key).stderr
    assert json.loads(murmur_alarms(settings, "show", key, "--json").stdout)["why"] is None


def test_who_acknowledged_first_stays_and_the_last_note_stands(
    connection: Connection, settings: Settings
) -> None:
    keep(connection, raised())
    key = alarm_key(OF, START)
    murmur_alarms(settings, "acknowledge", key, "--by", "ann", "--note", "a strike")
    murmur_alarms(settings, "acknowledge", key, "--by", "bob")
    again = murmur_alarms(settings, "acknowledge", key, "--note", "over soon", "--json")
    found = json.loads(again.stdout)
    assert (found["acknowledged_by"], found["acknowledged_note"]) == ("ann", "over soon")
    assert listed(settings, "--open") == [key]
    refused = murmur_alarms(settings, "acknowledge", key, "--undo", "--by", "bob", code=1)
    assert "ann has acknowledged this alarm" in str(refused.exception)
    undo = ("acknowledge", key, "--undo", "--by", "ann", "--json")
    for _ in range(2):
        found = json.loads(murmur_alarms(settings, *undo).stdout)
        assert {found[f"acknowledged_{part}"] for part in ("at", "by", "note")} == {None}


@pytest.mark.parametrize(
    ("alarm_id", "said"), [("abc", "at least 6"), ("0123456789", "there is no alarm")]
)
def test_an_id_of_nothing_says_what_to_do(
    connection: Connection, settings: Settings, alarm_id: str, said: str
) -> None:
    keep(connection, raised())
    assert said in str(murmur_alarms(settings, "show", alarm_id, code=1).exception)


def test_the_alarms_of_a_deleted_run_go_with_it(connection: Connection, settings: Settings) -> None:
    keep(connection, raised(), of_the_model(1))
    delete_run(connection, "r")
    assert listed(settings) == [alarm_key(OTHER, START + HOUR)]
