"""Reads tweets.scored with aiokafka: BOOTSTRAP TOPIC GROUP [COUNT]."""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer


async def main(bootstrap: str, topic: str, group: str, count: int | None) -> None:
    """Print each result once; stop after so many messages."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    await consumer.start()
    seen: set[tuple[str, str, int]] = set()
    read = 0
    try:
        async for message in consumer:
            read += 1
            event = json.loads(message.value or b"{}")
            if event.get("type") == "TweetScored":
                key = (event["run"], event["tweet_id"], event.get("version", 0))
                if key not in seen:
                    seen.add(key)
                    sys.stdout.write(f"{key[0]} {key[1]} {event['score']['label']}\n")
            # TweetDeleted, TweetWithheld, AuthorErased: delete what you hold of them.
            if read == count:
                break
    finally:
        await consumer.stop()


if __name__ == "__main__":
    _, server, topic_name, group_id, *most = sys.argv
    asyncio.run(main(server, topic_name, group_id, int(most[0]) if most else None))
