"""Reads tweets.scored with confluent-kafka: BOOTSTRAP TOPIC GROUP [COUNT]."""

import json
import sys
from typing import Any

from confluent_kafka import Consumer


def main(bootstrap: str, topic: str, group: str, count: int | None) -> None:
    """Print each result once; stop after so many messages."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    seen: dict[tuple[str, str, int], str] = {}
    read = 0
    try:
        while count is None or read < count:
            message = consumer.poll(1.0)
            if message is None or message.error():
                continue
            read += 1
            handle(json.loads(message.value() or b"{}"), seen)
    finally:
        consumer.close()


def handle(event: dict[str, Any], seen: dict[tuple[str, str, int], str]) -> None:
    """Take an event in; the first score of a tweet's version stands."""
    kind = event.get("type")
    if kind == "TweetScored":
        key = (event["run"], event["tweet_id"], event.get("version", 0))
        if key not in seen:
            seen[key] = event["score"]["label"]
            sys.stdout.write(f"{key[0]} {key[1]} {seen[key]}\n")
    elif kind in ("TweetDeleted", "TweetWithheld"):
        for key in [key for key in seen if key[1] == event["tweet_id"]]:
            del seen[key]
    # AuthorErased: delete what you hold of the author. Any other type is of a later release.


if __name__ == "__main__":
    _, server, topic_name, group_id, *most = sys.argv
    main(server, topic_name, group_id, int(most[0]) if most else None)
