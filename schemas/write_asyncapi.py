"""The AsyncAPI document of the topics, for those who read or write them from other programs.

`python -m schemas.write_asyncapi` writes `schemas/asyncapi.yaml` from the schemas, the topics and
their headers; `--check` only says whether it is up to date.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.codec import RUN_HEADER, TYPE_HEADER
from schemas.setting_views import Names, TopicLayout
from schemas.topics import (
    ALARMS,
    DEAD_LETTER,
    DECISIONS,
    MODELS_PROMOTED,
    RAW,
    SCORE_HOLD,
    SCORED,
    SHADOW,
    TopicSpec,
    topic_specs,
)
from schemas.write_json_schemas import generated_schemas

Json = dict[str, Any]

_HEAD: Final = "# Made by `make generated` from the schemas: change those.\n"
_ABOUT: Final = {
    RAW: "What came from X and from archives. Write here what shall be scored.",
    SCORED: "Scored tweets, and what removes tweets. At least once: (run, tweet_id, version)"
    " identifies a result, and the first one wins. Delete what the removals name.",
    SHADOW: "What a challenger says of a sample of the scored tweets. Nothing counts by it. At"
    " least once.",
    DEAD_LETTER: "What could not be processed: key, value and headers as they were (above 256 KiB"
    " the first 64 KiB), and behind its own headers why and where.",
    ALARMS: "What the watch raised and ended. `alarm_id` and `type` identify an event.",
    MODELS_PROMOTED: "Which model answers from now on: compacted, the last message counts.",
    DECISIONS: "Which decision a run uses: compacted, the last message of a key counts.",
    SCORE_HOLD: "The circuit breaker's memory. Of scoring alone: neither read nor write it.",
}
_WE_SEND: Final = (SCORED, SHADOW, DEAD_LETTER, ALARMS, MODELS_PROMOTED, DECISIONS)
_WE_RECEIVE: Final = (RAW, SCORED, DEAD_LETTER, MODELS_PROMOTED, DECISIONS)
_KEYS: Final = {
    RAW: "The tweet's root id; of a removal the id that it names. Partitioner: murmur2.",
    SCORED: "As in tweets.raw, so that versions of a tweet stay in their order.",
    SHADOW: "The tweet's root id, as in the other topics.",
    DEAD_LETTER: "The message's own key.",
    ALARMS: "alarm_id",
}
_TRACE: Final[Json] = {
    "traceparent": {
        "type": "string",
        "description": "W3C trace context; handed on unchanged through all topics of tweets.",
    },
    "tracestate": {"type": "string", "description": "W3C trace context."},
}


def asyncapi() -> Json:
    """Return the document; partitions and retention are each installation's own and not in it."""
    subjects = generated_schemas()
    layout = TopicLayout(
        partitions=1, replication=1, raw_retention_hours=1, scored_retention_hours=1
    )
    specs = topic_specs(Names(""), layout)
    described = {spec.name: _messages(spec.name, subjects) for spec in specs}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Murmur",
            "version": version("murmur"),
            "description": "Events are JSON in UTF-8. Fields and types that you do not know may"
            " come: ignore them. None is removed. MURMUR_TOPIC_PREFIX is put before each address.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The brokers that MURMUR_KAFKA names.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092"}},
            }
        },
        "channels": {_id(spec.name): _channel(spec, described[spec.name]) for spec in specs},
        "operations": {
            f"{action}-{_id(spec.name)}": {
                "action": action,
                "channel": {"$ref": f"#/channels/{_id(spec.name)}"},
                "summary": f"Murmur {action}s.",
            }
            for action, topics in (("send", _WE_SEND), ("receive", _WE_RECEIVE))
            for spec in specs
            if spec.name in topics
        },
        "components": {
            "messages": {
                name: message
                for messages in described.values()
                for name, message in messages.items()
            }
        },
    }


def _channel(spec: TopicSpec, messages: Json) -> Json:
    return {
        "address": spec.name,
        "description": _ABOUT.get(spec.name, "See schemas/README.md."),
        "messages": {
            name.partition("-")[2]: {"$ref": f"#/components/messages/{name}"} for name in messages
        },
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "topicConfiguration": {"cleanup.policy": [spec.cleanup]},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _messages(topic: str, subjects: dict[str, Json]) -> Json:
    """Return the messages of a topic, by a name that begins with that of its channel."""
    schema = subjects.get(f"{topic}-value")
    if schema is None:
        return {f"{_id(topic)}-Bytes": _bytes(topic)}
    file = f"./json_schemas/{topic}-value.json"
    events = [one["$ref"].rpartition("/")[2] for one in schema.get("anyOf", [schema])]
    return {
        f"{_id(topic)}-{event}": {
            "name": event,
            "title": event,
            "summary": schema["$defs"][event].get("description", event),
            "contentType": "application/json",
            "headers": {
                "type": "object",
                "properties": {
                    RUN_HEADER: {"type": "string", "description": "The event's run."},
                    TYPE_HEADER: {"type": "string", "const": event},
                }
                | (_TRACE if topic in (RAW, SCORED) else {}),
            },
            "payload": {"$ref": f"{file}#/$defs/{event}"},
            "bindings": {"kafka": {"key": _key(topic), "bindingVersion": "0.5.0"}},
        }
        for event in events
    }


def _bytes(topic: str) -> Json:
    return {
        "name": "Bytes",
        "title": f"A message of {topic}",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "properties": _LETTER_HEADERS | _TRACE}
        if topic == DEAD_LETTER
        else {"type": "object"},
        "payload": {"type": "string", "format": "binary", "description": _ABOUT.get(topic, "")},
        "bindings": {"kafka": {"key": _key(topic), "bindingVersion": "0.5.0"}},
    }


_LETTER_HEADERS: Final[Json] = {
    name: {"type": "string", "description": about}
    for name, about in (
        (RUN_HEADER, "The run that it belonged to, where that is known."),
        ("__streams.errors.message", "What was wrong with it."),
        ("__streams.errors.topic", "Where it stood: a topic, or `file:` and a hash."),
        ("__streams.errors.partition", "Where it stood."),
        ("__streams.errors.offset", "Where it stood; of a file the number of the line."),
        ("murmur.errors.reason", "Why, in one word of `schemas.codec.Reason`."),
        ("murmur.errors.stage", "Which stage could not process it."),
        ("murmur.errors.timestamp-ms", "The message's own timestamp."),
        ("murmur.errors.value-size-bytes", "The size of the whole value."),
        ("murmur.errors.value-sha256", "The hash of the whole value."),
        ("murmur.errors.cut", "What was cut: key, headers."),
    )
}


def _key(topic: str) -> Json:
    return {"type": "string", "description": _KEYS.get(topic, "One key for what replaces another.")}


def _id(topic: str) -> str:
    """Return a topic's name as a key: a point would be one of AsyncAPI's expressions."""
    return topic.replace(".", "_").replace("-", "_")


def kept_file() -> Path:
    """Return where the document is kept."""
    return Path(str(files("schemas") / "asyncapi.yaml"))


def text() -> str:
    """Return the document as it is kept."""
    return _HEAD + yaml.safe_dump(asyncapi(), sort_keys=False, width=100, allow_unicode=True)


def main(arguments: Sequence[str]) -> int:
    """Write or check the document; return the exit code."""
    wanted, file = text(), kept_file()
    if "--check" not in arguments:
        file.write_text(wanted, encoding="utf-8")
        return 0
    if not file.is_file() or file.read_text(encoding="utf-8") != wanted:
        print("schemas/asyncapi.yaml is out of date: run `make generated`", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
