"""`murmur labels` on real tables: in, out, next, agreement."""

import csv
import json
import os
import stat
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from retrain.labels.cli import labels
from schemas.events import LIVE, MatchedRule, TweetScored
from schemas.people_labels import audit_rank
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from tests.integration.storing import store
from tests.stack import MURMUR, process_environment
from tests.unit.examples import POSTED_AT, deleted, scored_tweet

WORDS = "tram late park sun rain news match goal song film tea cake".split()

WHAT_PEOPLE_SAID = """
SELECT run, root_id, version, labeller, origin, repeat, label, answer_seen, labelled_at
FROM labels ORDER BY 2, 4, 5, 6
"""


def tweets(count: int, run: str = "spring") -> list[TweetScored]:
    return [
        scored_tweet(
            ("positive", "negative")[number % 2],
            0.5 + number % 50 / 100,
            run=run,
            tweet_id=str(800_000_000_000_000_000 + number),
            posted_at=POSTED_AT + timedelta(hours=number),
            text=f"{WORDS[number % 12]} {number} {WORDS[number * 5 % 11]} number{number}",
            rules=(MatchedRule(tag="rare"),) if number % 20 == 3 else (MatchedRule(tag="often"),),
        )
        for number in range(count)
    ]


def call(settings: Settings, *arguments: str | Path) -> Result:
    environment = {"MURMUR_POSTGRES": settings.postgres_uri}
    return CliRunner(env=environment).invoke(labels, [str(each) for each in arguments])


def called(settings: Settings, *arguments: str | Path) -> Result:
    result = call(settings, *arguments)
    assert result.exit_code == 0, result.output + str(result.exception)
    return result


def rows(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def written(tmp_path: Path, content: str, name: str = "labels.csv") -> Path:
    file = tmp_path / name
    file.write_text(content)
    return file


def test_an_import_stores_or_names_every_row_and_may_be_repeated(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    ids = [tweet.tweet_id for tweet in tweets(4)]
    store(connection, tweets(4))
    content = (
        "tweet_id,label,labeller,labelled_at\n"
        f"{ids[0]},positive,bob,2026-11-21T10:00:00Z\n{ids[1]},neutral,,\n"
        f"{ids[2]},angry,,\n999,positive,,\n{ids[1]},neutral,,\n"
        f"{ids[3]},positive,,\n{ids[3]},negative,,\n"
    )
    arguments = ("import", written(tmp_path, content), "--run", "spring", "--origin", "audit")
    assert call(settings, *arguments).exit_code == 2
    report = json.loads(called(settings, *arguments, "--blind", "--json").stdout)
    assert (report["rows"], report["stored"], report["by_origin"]) == (7, 2, {"audit": 2})
    assert {fault: each["rows"] for fault, each in report["faults"].items()} == {
        "no such tweet in the run": 1,
        "no label of the run's models": 1,
        "the same label once more": 1,
        "two labels by one person in this file": 2,
    }
    (unknown,) = report["faults"]["no such tweet in the run"]["examples"]
    assert unknown == {"place": "line 5", "tweet_id": "999", "label": "positive"}
    assert report["unknown_labels"] == {"angry": 1}
    assert set(report["labels"]) == {"negative", "neutral", "positive"}
    again = json.loads(called(settings, *arguments, "--blind", "--json").stdout)
    assert (again["stored"], again["unchanged"]) == (0, 2)
    table = called(settings, *arguments, "--blind").stdout
    assert "left out: no such tweet in the run" in table
    assert "unknown labels: 'angry' (1); accepted: " in " ".join(table.split())
    assert rows(connection, "SELECT root_id, label FROM audits ORDER BY 1") == [
        (ids[0], "positive"),
        (ids[1], "neutral"),
    ]


def test_audits_that_become_queue_labels_are_named_with_what_helps(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(2))
    ids = [tweet.tweet_id for tweet in tweets(2)]
    file = written(tmp_path, f"id,label,origin\n{ids[0]},positive,audit\n{ids[1]},neutral,queue\n")
    arguments = ("import", file, "--run", "spring")
    table = " ".join(called(settings, *arguments).stdout.split())
    assert "1 audit of the file is stored as queue labels" in table
    assert "import the file again with --blind" in table
    blind = json.loads(called(settings, *arguments, "--blind", "--json").stdout)
    assert (blind["audits_as_queue"], blind["by_origin"]) == (0, {"audit": 1, "queue": 1})
    wrong = call(
        settings,
        "import",
        written(tmp_path, f"id,label\n{ids[0]},positiv\n"),
        "--run",
        "spring",
        "--origin",
        "import",
    )
    assert "unknown labels: 'positiv' (1); accepted: " in str(wrong.exception)


def test_labels_move_the_figures_of_their_run(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(1))
    with connection, connection.cursor() as cursor:
        cursor.execute("UPDATE runs SET changed_at = '-infinity'")
    file = written(tmp_path, f"id,label\n{tweets(1)[0].tweet_id},positive\n")
    called(settings, "import", file, "--run", "spring", "--origin", "audit", "--blind")
    assert rows(connection, "SELECT changed_at > '2026-01-01' FROM runs") == [(True,)]


def test_a_label_that_differs_stays_unless_it_is_to_be_replaced(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(1))
    first, second = (
        written(tmp_path, f"id,label\n{tweets(1)[0].tweet_id},{label}\n", f"{label}.csv")
        for label in ("positive", "negative")
    )
    options = ("--run", "spring", "--origin", "correction")
    called(settings, "import", first, *options)
    refused = call(settings, "import", second, *options)
    assert "another label is stored" in str(refused.exception)
    assert rows(connection, "SELECT label, answer_seen FROM labels") == [("positive", True)]
    report = json.loads(called(settings, "import", second, *options, "--replace", "--json").stdout)
    assert report["replaced"] == 1
    assert rows(connection, "SELECT label FROM labels") == [("negative",)]


def test_an_export_says_itself_why_its_tweets_were_labelled_and_other_files_do_not(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(2))
    ids = [tweet.tweet_id for tweet in tweets(2)]
    file = written(tmp_path, f"id,label\n{ids[0]},positive\n{ids[1]},negative\n")
    plain = call(settings, "import", file, "--run", "spring")
    assert "line 2 does not say why the tweet was labelled" in str(plain.exception)
    called(settings, "import", file, "--run", "spring", "--origin", "correction")
    exported = tmp_path / "exported.csv"
    called(settings, "export", "--run", "spring", "--output", exported)
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM labels")
    called(settings, "import", exported, "--run", "spring")
    assert rows(connection, "SELECT DISTINCT origin FROM labels") == [("correction",)]


def test_nothing_usable_is_a_failure_that_says_why(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(1))
    file = written(tmp_path, "id,label\n1,positive\n")
    command: list[str | Path] = [
        MURMUR,
        "labels",
        "import",
        file,
        "--run",
        "spring",
        "--origin",
        "import",
    ]
    answer = subprocess.run(
        command,
        env=process_environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr == (
        "murmur: nothing was imported: 1 × no such tweet in the run;"
        " for example line 2 1 'positive'\n"
    )
    unknown = call(settings, "agreement", "--run", "summer")
    assert "there are spring" in str(unknown.exception)


@pytest.mark.parametrize("run", ["spring", LIVE])
def test_labels_of_an_edited_tweet_belong_to_the_version_that_was_meant(
    settings: Settings, connection: Connection, tmp_path: Path, run: str
) -> None:
    history = ("800000000000000000", "800000000000000009")
    edit = scored_tweet(
        run=run, tweet_id=history[1], root_id=history[0], version=1, edit_history=history
    )
    store(connection, [scored_tweet(run=run, tweet_id=history[0]), edit])
    content = (
        f"id,label,version\n{history[1]},positive,\n{history[0]},negative,\n"
        f"{history[0]},neutral,2\n"
    )
    arguments = ("import", written(tmp_path, content), "--run", run, "--origin", "queue", "--json")
    report = json.loads(called(settings, *arguments).stdout)
    assert list(report["faults"]) == ["that version of the tweet is not stored"]
    assert rows(connection, "SELECT version, label FROM labels ORDER BY 1") == [
        (0, "negative"),
        (1, "positive"),
    ]
    exported = called(settings, "export", "--run", run)
    assert "left out: 1 labels of versions that were edited since" in exported.stderr
    assert [row["label"] for row in csv.DictReader(exported.stdout.splitlines())] == ["positive"]


@pytest.mark.parametrize("form", ["csv", "label-studio", "doccano"])
def test_exported_labels_come_back_and_the_same_data_gives_the_same_bytes(
    settings: Settings, connection: Connection, tmp_path: Path, form: str
) -> None:
    store(connection, [replace(tweet, text="=1+1") for tweet in tweets(6)])
    ids = [tweet.tweet_id for tweet in tweets(6)]
    lines = [f"{id_},{label}," for id_, label in zip(ids, ["positive", "neutral"] * 3, strict=True)]
    content = "\n".join(
        ["id,label,labeller", *(line + "ann" for line in lines), f"{ids[0]},neutral,bob"]
    )
    arguments = ("--run", "spring", "--origin", "audit", "--blind")
    called(settings, "import", written(tmp_path, content), *arguments)
    before = rows(connection, WHAT_PEOPLE_SAID)
    outputs = [tmp_path / name for name in ("one", "two")]
    for output in outputs:
        called(settings, "export", "--run", "spring", "--format", form, "--output", output)
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    assert stat.S_IMODE(outputs[0].stat().st_mode) == 0o600
    assert b"model" not in outputs[0].read_bytes()
    rows(connection, "DELETE FROM labels RETURNING 1")
    called(settings, "import", outputs[0], *arguments)
    assert rows(connection, WHAT_PEOPLE_SAID) == before


def test_a_queue_that_was_labelled_elsewhere_comes_back_with_its_origins(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(100))
    file = tmp_path / "queue.csv"
    called(settings, "export", "--run", "spring", "--queue", "10", "--output", file)
    with file.open(newline="") as opened:
        found = list(csv.DictReader(opened))
    assert [row["label"] for row in found] == [""] * 10
    labelled = written(
        tmp_path,
        "root_id,version,origin,label\n"
        + "".join(f"{row['root_id']},0,{row['origin']},neutral\n" for row in found),
        "labelled.csv",
    )
    arguments = ("import", labelled, "--run", "spring", "--origin", "queue", "--blind", "--json")
    report = json.loads(called(settings, *arguments).stdout)
    assert report["by_origin"] == {"audit": 5, "queue": 5}
    assert len(rows(connection, "SELECT FROM audits")) == 5
    shown = tmp_path / "shown.json"
    options = ("--queue", "4", "--format", "label-studio", "--with-predictions", "--output", shown)
    called(settings, "export", "--run", "spring", *options)
    (first, *_) = json.loads(shown.read_text())
    (prediction,) = first["predictions"]
    assert prediction["model_version"] == "a 1"
    assert 0 < prediction["score"] <= 1
    assert prediction["result"][0]["value"]["choices"][0] in ("positive", "negative")


@pytest.mark.parametrize("run", ["spring", LIVE])
def test_two_processes_draw_the_same_queue_and_labels_move_it_on(
    settings: Settings, connection: Connection, tmp_path: Path, run: str
) -> None:
    store(connection, tweets(200, run))
    outputs = [
        subprocess.run(
            [MURMUR, "labels", "queue", "--run", run, "-n", "20", "--json"],
            env={**process_environment(settings), "PYTHONHASHSEED": seed},
            capture_output=True,
            timeout=60,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    queue = json.loads(outputs[0])["queue"]
    parts = [each["part"] for each in queue]
    assert {part: parts.count(part) for part in parts} == {
        "audit": 10,
        "uncertain": 6,
        "drifted": 4,
    }
    audits = [each["root_id"] for each in queue if each["part"] == "audit"]
    assert audits[0] == min((tweet.root_id for tweet in tweets(200)), key=audit_rank)
    lines = [f"{id_},neutral" for id_ in audits]
    file = written(tmp_path, "\n".join(["id,label", *lines]))
    called(settings, "import", file, "--run", run, "--origin", "audit", "--blind")
    again = json.loads(called(settings, "queue", "--run", run, "-n", "20", "--json").stdout)[
        "queue"
    ]
    assert not {each["root_id"] for each in again} & set(audits)
    other = ("queue", "--run", run, "--second-opinion", "--labeller", "bob", "--json")
    second = json.loads(called(settings, *other).stdout)["queue"]
    assert {each["root_id"] for each in second} == set(audits)
    assert {each["origin"] for each in second} == {"audit"}


def test_a_queue_may_be_of_a_rule_and_of_days_and_shows_no_answer(
    settings: Settings, connection: Connection
) -> None:
    store(connection, tweets(200))
    options = ("--rule", "rare", "--from", "2016-11-20", "--to", "2016-11-21", "--json")
    found = json.loads(called(settings, "queue", "--run", "spring", *options).stdout)["queue"]
    expected = {
        tweet.root_id
        for tweet in tweets(200)
        if tweet.rules[0].tag == "rare" and str(tweet.day) in ("2016-11-20", "2016-11-21")
    }
    assert {each["root_id"] for each in found} == expected
    assert "positive" not in called(settings, "queue", "--run", "spring").stdout
    assert (
        call(
            settings, "queue", "--run", "spring", "--from", "2016-11-21", "--to", "2016-11-20"
        ).exit_code
        == 2
    )


def test_a_deleted_tweet_is_in_no_queue_no_export_and_takes_no_label(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(3))
    gone, *others = [tweet.tweet_id for tweet in tweets(3)]
    file = written(tmp_path, f"id,label\n{gone},neutral\n{others[0]},neutral\n")
    arguments = ("import", file, "--run", "spring", "--origin", "queue", "--json")
    assert json.loads(called(settings, *arguments).stdout)["stored"] == 2
    store(connection, [deleted(gone, run="spring")])
    assert rows(connection, "SELECT root_id FROM labels") == [(others[0],)]
    queue = json.loads(called(settings, "queue", "--run", "spring", "--json").stdout)["queue"]
    assert {each["root_id"] for each in queue} == set(others)
    assert gone not in called(settings, "export", "--run", "spring").stdout
    report = json.loads(called(settings, *arguments).stdout)
    assert report["faults"]["no such tweet in the run"]["rows"] == 1


def test_agreement_is_between_people_and_of_each_with_themselves(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    store(connection, tweets(12))
    ids = [tweet.tweet_id for tweet in tweets(12)]
    # Krippendorff's example B, with labels of ours.
    names = dict(
        zip("abcde", ["negative", "neutral", "positive", "negative2", "neutral2"], strict=True)
    )
    of_five = scored_tweet(by="b", labels=list(names.values()), run="spring", tweet_id="7")
    store(connection, [of_five])
    lines = ["id,label,labeller,repeat"]
    for labeller, answers in (("ben", "aabbdccceDDA".lower()), ("gerry", "babbbcccEDDD".lower())):
        pairs = zip(ids, answers, strict=True)
        lines += [f"{id_},{names[answer]},{labeller},0" for id_, answer in pairs]
    lines += [f"{id_},negative,ben,1" for id_ in ids[:2]]
    file = written(tmp_path, "\n".join(lines))
    called(settings, "import", file, "--run", "spring", "--origin", "audit", "--blind")
    found = json.loads(called(settings, "agreement", "--run", "spring", "--json").stdout)
    assert found["between"]["alpha"] == pytest.approx(0.692, abs=0.0006)
    assert found["between"]["units"] == 12
    ben, gerry = found["labellers"]
    assert (ben["labeller"], ben["labels"], ben["with_themselves"]["units"]) == ("ben", 12, 2)
    assert ben["with_themselves"]["same"] == 1
    assert gerry["with_themselves"]["units"] == 0
    shown = called(settings, "agreement", "--run", "spring").stdout
    assert "0.692" in shown
    assert "not defined" in shown


def test_labelling_without_a_terminal_says_what_to_do_instead(settings: Settings) -> None:
    answer = subprocess.run(
        [MURMUR, "labels", "annotate", "--run", "spring"],
        env={**os.environ, **process_environment(settings)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert answer.returncode == 2
    assert "needs a terminal" in answer.stderr
    assert "murmur labels export --queue" in answer.stderr
