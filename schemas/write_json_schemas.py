"""The JSON Schemas of the topics, for those who read them from other programs.

`python -m schemas.write_json_schemas` writes them anew, and refuses a change that would break a
reader or a writer of the schemas that are kept; `--check` only says whether they are up to date.
"""

import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.alarm_events import AlarmMessage
from schemas.compatibility import breaking_changes
from schemas.decisions import DecisionChosen
from schemas.events import RawEvent, ScoredEvent
from schemas.model_events import ModelPromoted
from schemas.shadow_events import TweetShadowed
from schemas.topics import ALARMS, DECISIONS, MODELS_PROMOTED, RAW, SCORED, SHADOW

JsonSchema = dict[str, Any]

_URL: Final = "https://json-schema.org/draft/2020-12/schema"


def generated_schemas() -> dict[str, JsonSchema]:
    """Return each subject's schema (`<topic>-value`, as schema registries name them)."""
    return {
        f"{topic}-value": _plain(
            {"$schema": _URL, "title": f"{topic}-value", **msgspec.json.schema(events)}
        )
        for topic, events in (
            (RAW, RawEvent),
            (SCORED, ScoredEvent),
            (ALARMS, AlarmMessage),
            (MODELS_PROMOTED, ModelPromoted),
            (DECISIONS, DecisionChosen),
            (SHADOW, TweetShadowed),
        )
    }


def _plain(schema: JsonSchema) -> JsonSchema:
    """Return a schema as it reads from its file: defaults that are tuples become lists."""
    plain: JsonSchema = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def schema_folder() -> Path:
    """Return the folder that holds the kept schemas."""
    return Path(str(files("schemas") / "json_schemas"))


def kept_schemas(folder: Path) -> dict[str, JsonSchema]:
    """Return the schemas that are kept in a folder, by subject."""
    return {
        file.stem: msgspec.json.decode(file.read_bytes()) for file in sorted(folder.glob("*.json"))
    }


def main(arguments: Sequence[str]) -> int:
    """Write or check the kept schemas; return the exit code."""
    folder, generated = schema_folder(), generated_schemas()
    kept = kept_schemas(folder)
    breaking = [
        f"{subject}: {change}"
        for subject in kept.keys() & generated.keys()
        for change in breaking_changes(kept[subject], generated[subject])
    ]
    breaking += [f"{subject} is gone" for subject in kept.keys() - generated.keys()]
    if breaking:
        print("breaking changes of events:", *breaking, sep="\n  ", file=sys.stderr)  # noqa: T201
        return 1
    if "--check" in arguments:
        if kept != generated:
            print("the JSON Schemas are out of date: run `make generated`", file=sys.stderr)  # noqa: T201
        return int(kept != generated)
    for subject, schema in generated.items():
        content = msgspec.json.format(msgspec.json.encode(schema), indent=2)
        (folder / f"{subject}.json").write_bytes(content + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
