"""Word overrides from events to rows and figures, over stored tweets, and in the service."""

from pathlib import Path
from typing import Any

import msgspec

from model_server.overrides.override import Overrides
from model_server.overrides.override_file import read_overrides
from schemas.decisions import named
from schemas.settings import Settings
from schemas.transport.postgres import Connection
from schemas.tweet_time import FIRST_TWEET, LAST_MOMENT
from stream_processors.overriding.apply_to_stored import AppliedOverrides, apply_to_stored
from stream_processors.redeciding.redecide import redecide
from tests.conditions import wait_until
from tests.integration.serving import command, make_key, serving
from tests.integration.storing import store
from tests.integration.test_sink import query
from tests.recount import differing_hashtag_rollups, differing_rollups
from tests.unit.decision_examples import decision
from tests.unit.examples import LABELS, scored_tweet

FILE = """
- name: sick-is-great
  pattern: sick
  label: positive
  reason: our skaters say it for great
  tests: {changes: [this board is SICK], leaves: [I am homesick]}
"""
ROWS = """
SELECT root_id, label, confidence, override_name, override_version, label_without,
       confidence_without
FROM scores ORDER BY root_id
"""


def overrides_in(folder: Path) -> tuple[Path, Overrides]:
    path = folder / "overrides.yaml"
    path.write_text(FILE)
    return path, read_overrides(path, LABELS)


def tweets() -> list[Any]:
    return [
        scored_tweet("negative", 0.8, tweet_id="1", text="so sick", hashtags=("skate",)),
        scored_tweet("positive", 0.8, tweet_id="2", text="sick!"),
        scored_tweet("negative", 0.8, tweet_id="3", text="I am homesick"),
    ]


def applied(connection: Connection, overrides: Overrides | None) -> AppliedOverrides:
    found = apply_to_stored(connection, "test", overrides, first=FIRST_TWEET, until=LAST_MOMENT)
    assert differing_rollups(connection) == []
    assert differing_hashtag_rollups(connection) == []
    return found


def test_stored_tweets_get_the_teams_label_and_their_own_back(
    connection: Connection, settings: Settings, tmp_path: Path
) -> None:
    path, overrides = overrides_in(tmp_path)
    store(connection, tweets())
    before = query(connection, ROWS)
    found = applied(connection, overrides)
    assert (found.scores, found.changed, found.overridden) == (3, 1, 1)
    first, *others = query(connection, ROWS)
    version = overrides.version[:16]
    assert first == ("1", "positive", 0.1, "sick-is-great", version, "negative", 0.8)
    assert others == before[1:]
    assert applied(connection, overrides).changed == 0
    # A decision, or none, is about what stands there without the override.
    redecide(connection, "test", None, first=FIRST_TWEET, until=LAST_MOMENT)
    assert query(connection, ROWS)[0] == first
    own = settings.model_copy(update={"overrides": path})
    figures = command(own, "overrides", "figures", "--run", "test", "--json")
    assert figures["labels"] == {"negative": 1, "positive": 2}
    assert figures["labels_without"] == {"negative": 2, "positive": 1}
    again = command(own, "overrides", "apply", "--run", "test", "--json")
    assert (again["changed"], again["overridden"]) == (0, 1)
    assert applied(connection, None).changed == 1
    assert query(connection, ROWS) == before


def test_an_event_that_was_overridden_is_stored_as_the_command_would_leave_it(
    connection: Connection, tmp_path: Path
) -> None:
    _, overrides = overrides_in(tmp_path)
    first, *others = tweets()
    from model_server.overrides.apply_override import apply_override

    score = first.score
    counting = apply_override(
        overrides,
        first.text,
        None,
        [],
        label=score.label,
        confidence=score.confidence,
        probabilities=score.probabilities,
    )
    changed = msgspec.structs.replace(
        score,
        label=counting.label,
        confidence=counting.confidence,
        override=counting.override,
    )
    store(connection, [msgspec.structs.replace(first, score=changed), *others])
    stored = query(connection, ROWS)
    assert stored[0][3] == "sick-is-great"
    assert applied(connection, overrides).changed == 0
    assert query(connection, ROWS) == stored


def test_the_service_states_an_override_logs_it_and_takes_in_a_changed_file(
    settings: Settings, tmp_path: Path
) -> None:
    path, overrides = overrides_in(tmp_path)
    key = make_key(settings, "team", "predict", "label")
    text = "sick and tired of all this dreadful waiting"
    with serving(settings, tmp_path / "plain") as service:
        own = service.post("/predict", json={"text": text}, headers=key).json()
    assert own["label"] == "negative"
    assert "override" not in own
    changes: dict[str, Any] = {"overrides": path, "serve_log_days": 1}
    with serving(settings, tmp_path / "serve", **changes) as service:
        found = service.post("/predict", json={"text": text}, headers=key).json()
        assert found["label"] == "positive"
        assert found["probabilities"] == own["probabilities"]
        assert found["override"] == {
            "name": "sick-is-great",
            "version": overrides.version[:16],
            "label": "negative",
            "confidence": own["confidence"],
        }
        tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": [text, "homesick"]}
        name = own["model"]["name"]
        answer = service.post(
            f"/v2/models/{name}/infer", json={"inputs": [tensor]}, headers=key
        ).json()
        assert answer["outputs"][0]["data"][0] == "positive"
        assert answer["parameters"]["overrides"] == ["sick-is-great", ""]

        def logged() -> list[dict[str, Any]]:
            seen = service.get("/recent_predictions", params={"words": text}, headers=key)
            of_text: list[dict[str, Any]] = seen.json()["predictions"]
            return of_text

        wait_until(logged, 60, "the log")
        (kept,) = logged()
        assert (kept["label"], kept["confidence"]) == (found["label"], found["confidence"])
        assert kept["override"] == found["override"]
        page = {"Origin": service.address, "Sec-Fetch-Site": "same-origin"}
        signed_in = {"murmur_key": key["Authorization"].removeprefix("Bearer ")}
        path.write_text(FILE.replace("sick-is-great", "sick-is-best"))

        def in_use() -> str:
            seen = service.post("/predict", json={"text": text}, headers=key).json()
            return str(seen["override"]["name"])

        wait_until(lambda: in_use() == "sick-is-best", 60, "the changed file")
        tried = service.post("/page/try", data={"text": text}, headers=page, cookies=signed_in)
        assert tried.status_code == 200, tried.text
        assert "sick-is-best" in tried.text


def test_tweets_that_are_decided_anew_get_the_overrides_that_scoring_would_apply(
    connection: Connection, tmp_path: Path
) -> None:
    _, overrides = overrides_in(tmp_path)
    store(connection, tweets())
    applied(connection, overrides)
    for biases, override, without in (
        ((9.0, 0.0, -9.0), "sick-is-great", "negative"),
        # Where the decision says the same, no override is needed.
        ((-9.0, 0.0, 9.0), None, None),
    ):
        redecide(
            connection,
            "test",
            named(decision(biases=biases)),
            first=FIRST_TWEET,
            until=LAST_MOMENT,
            overrides=lambda: overrides,
        )
        found = {row[0]: (row[1], row[3], row[5]) for row in query(connection, ROWS)}
        assert found["1"] == found["2"] == ("positive", override, without)
        assert differing_rollups(connection) == []
