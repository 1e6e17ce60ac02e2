"""What other programs rely on: kept schemas, kept examples, and no breaking change."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from schemas.alarm_events import decode_alarm
from schemas.codec import decode_raw, decode_scored
from schemas.compatibility import breaking_changes
from schemas.decisions import decode_chosen
from schemas.model_events import decode_promoted
from schemas.shadow_events import decode_shadowed
from schemas.topics import ALARMS, DECISIONS, MODELS_PROMOTED, RAW, SCORED, SHADOW
from schemas.write_json_schemas import generated_schemas, kept_schemas, schema_folder

GOLDEN = Path(__file__).parents[3] / "schemas" / "golden"
EXAMPLES = sorted(GOLDEN.glob("*/*.json"))
DECODERS: dict[str, Callable[[bytes], object]] = {
    RAW: decode_raw,
    SCORED: decode_scored,
    ALARMS: decode_alarm,
    MODELS_PROMOTED: decode_promoted,
    DECISIONS: decode_chosen,
    SHADOW: decode_shadowed,
}


def test_the_kept_schemas_are_those_of_the_code() -> None:
    assert kept_schemas(schema_folder()) == generated_schemas()


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_golden_example_still_reads_and_fits_its_schema(file: Path) -> None:
    topic = file.parent.name
    event = DECODERS[topic](file.read_bytes())
    assert file.name.startswith(type(event).__name__)
    jsonschema.validate(
        msgspec.json.decode(file.read_bytes()),
        generated_schemas()[f"{topic}-value"],
        jsonschema.Draft202012Validator,
    )


@pytest.mark.parametrize("subject", sorted(generated_schemas()))
def test_every_event_type_has_a_golden_example(subject: str) -> None:
    schema = generated_schemas()[subject]
    # A topic with a single type of event has no union.
    types = (
        schema["discriminator"]["mapping"].keys()
        if "discriminator" in schema
        else {schema["$ref"].rpartition("/")[2]}
    )
    shown = {
        file.stem.split("-")[0] for file in (GOLDEN / subject.removesuffix("-value")).iterdir()
    }
    assert shown == set(types)


BREAKING: dict[str, Callable[[dict[str, Any]], object]] = {
    "a field disappears": lambda d: d["TweetScored"]["properties"].pop("author_id"),
    "a required field appears": lambda d: d["TweetScored"]["required"].append("language"),
    "a required field becomes optional": lambda d: d["Score"]["required"].remove("confidence"),
    "a type changes": lambda d: d["Score"]["properties"].update(label={"type": "integer"}),
    "a bound is narrowed": lambda d: d["TweetScored"]["properties"]["text"].update(maxLength=280),
    "an item's type changes": lambda d: d["TweetScored"]["properties"]["edit_history"].update(
        items={"type": "integer"}
    ),
    "a field may be null": lambda d: d["Score"]["properties"].update(
        label={"anyOf": [d["Score"]["properties"]["label"], {"type": "null"}]}
    ),
    "an event type is renamed": lambda d: d["TweetWithheld"]["properties"].update(
        type={"enum": ["TweetHidden"]}
    ),
}
HARMLESS: dict[str, Callable[[dict[str, Any]], object]] = {
    "an optional field appears": lambda d: d["TweetScored"]["properties"].update(
        tone={"type": "string", "default": "plain"}
    ),
    "a description changes": lambda d: d["TweetScored"].update(description="Said better."),
    "nothing": lambda _: None,
}


def _changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    schema = copy.deepcopy(generated_schemas()["tweets.scored-value"])
    change(schema["$defs"])
    return schema


@pytest.mark.parametrize("name", BREAKING)
def test_a_breaking_change_is_found(name: str) -> None:
    schema = generated_schemas()["tweets.scored-value"]
    assert len(breaking_changes(schema, _changed(BREAKING[name]))) >= 1


@pytest.mark.parametrize("name", HARMLESS)
def test_a_change_that_breaks_nobody_is_allowed(name: str) -> None:
    schema = generated_schemas()["tweets.scored-value"]
    assert breaking_changes(schema, _changed(HARMLESS[name])) == []


def test_a_new_event_type_is_allowed_and_one_that_goes_is_not() -> None:
    more = generated_schemas()["tweets.scored-value"]
    fewer = {**more, "anyOf": more["anyOf"][:-1]}
    assert breaking_changes(fewer, more) == []
    assert len(breaking_changes(more, fewer)) == 1
