"""What each process may do on Kafka: the least that it needs.

`python -m deploy.installation.acls` prints the commands of Kafka's own tool that allow it.
"""

import shlex
import sys
from typing import Final

from confluent_kafka.admin import AclOperation, ResourceType

from schemas.process.process_list import (
    COMPLIANCE_STREAM,
    GUARD,
    PROCESSES,
    RETRAIN_WATCH,
    SCORE,
    SERVE,
    SHADOW,
    SINK,
    STREAM,
    WATCH,
    ProcessSpec,
)
from schemas.setting_views import Names
from schemas.topics import (
    ALARMS,
    DEAD_LETTER,
    DECISIONS,
    MODELS_PROMOTED,
    RAW,
    SCORE_GROUP,
    SCORE_HOLD,
    SCORED,
    SHADOW_GROUP,
    SINK_GROUP,
    WATCH_GROUP,
)
from schemas.topics import SHADOW as SHADOW_TOPIC

Right = tuple[ResourceType, str, AclOperation]

_READS: Final = {
    SCORE.name: (RAW, SCORE_HOLD, MODELS_PROMOTED, DECISIONS),
    SINK.name: (SCORED, DEAD_LETTER),
    WATCH.name: (SCORED,),
    SERVE.name: (MODELS_PROMOTED, DECISIONS, SCORE_HOLD),
    STREAM.name: (RAW,),
    COMPLIANCE_STREAM.name: (RAW,),
    RETRAIN_WATCH.name: (MODELS_PROMOTED,),
    SHADOW.name: (SCORED,),
    GUARD.name: (MODELS_PROMOTED,),
}
_WRITES: Final = {
    SCORE.name: (SCORED, DEAD_LETTER, SCORE_HOLD),
    SINK.name: (DEAD_LETTER,),
    WATCH.name: (ALARMS,),
    # The page promotes, releases a hold, redrives and refills.
    SERVE.name: (MODELS_PROMOTED, SCORE_HOLD, RAW, SCORED, DEAD_LETTER),
    STREAM.name: (RAW, DEAD_LETTER),
    COMPLIANCE_STREAM.name: (RAW, DEAD_LETTER),
    RETRAIN_WATCH.name: (MODELS_PROMOTED,),
    SHADOW.name: (SHADOW_TOPIC,),
    GUARD.name: (MODELS_PROMOTED,),
}
# Whoever asks how far behind others are has to see their topics and groups.
_ASKS: Final = {
    WATCH.name: ((RAW,), (SCORE_GROUP,)),
    SERVE.name: ((RAW, SCORED, DEAD_LETTER), (SCORE_GROUP, SINK_GROUP, WATCH_GROUP)),
}
_GROUPS: Final = {
    SCORE.name: SCORE_GROUP,
    SINK.name: SINK_GROUP,
    WATCH.name: WATCH_GROUP,
    SHADOW.name: SHADOW_GROUP,
}


def acls_of(process: ProcessSpec, names: Names) -> list[Right]:
    """Return what a process needs. READ and WRITE allow DESCRIBE too."""
    rights: list[Right] = [
        (ResourceType.TOPIC, names.topic(topic), AclOperation.READ)
        for topic in _READS[process.name]
    ]
    rights += [
        (ResourceType.TOPIC, names.topic(topic), AclOperation.WRITE)
        for topic in _WRITES[process.name]
    ]
    if process.name in _GROUPS:
        group = names.group(_GROUPS[process.name])
        rights.append((ResourceType.GROUP, group, AclOperation.READ))
    topics, groups = _ASKS.get(process.name, ((), ()))
    rights += [(ResourceType.TOPIC, names.topic(each), AclOperation.DESCRIBE) for each in topics]
    rights += [(ResourceType.GROUP, names.group(each), AclOperation.DESCRIBE) for each in groups]
    return rights


def commands(names: Names) -> list[str]:
    """Return the calls of `murmur kafka acls` that give each process a user of its own name."""
    return [
        shlex.join(
            [
                "murmur",
                "kafka",
                "acls",
                "--add",
                "--allow-principal",
                f"User:{process.name}",
                "--operation",
                operation.name.capitalize(),
                f"--{kind.name.lower()}",
                name,
            ]
        )
        for process in PROCESSES
        for kind, name, operation in acls_of(process, names)
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join(commands(Names(""))) + "\n")
