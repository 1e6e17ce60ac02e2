"""What a tweet costs by one bundle and by another, measured in turns."""

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

from model_server.onnx_engine import Engine
from retrain.export.quality_gate import Cost

TURNS: Final = 48
TEXTS_A_TURN: Final = 96


def compare_cost(
    engine: Engine,
    other: Engine,
    cleaned: Sequence[str],
    *,
    against: str,
    clock: Callable[[], float] = time.process_time,
) -> Cost:
    """Score the same texts with both engines in turns, and return the CPU that each took.

    Each turn scores up to 96 texts with both, one first and then the other, so that a machine
    that slows down slows both. The first turn only warms up. Both read the texts as they were
    cleaned for the first one, and the time of the cleaning counts for neither.
    """
    spent_s: list[tuple[float, float]] = []
    texts_a_turn = min(TEXTS_A_TURN, len(cleaned))
    for turn in range(1 + TURNS):
        part = [cleaned[(turn * texts_a_turn + n) % len(cleaned)] for n in range(texts_a_turn)]
        taken_s = {}
        for name in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
            began_s = clock()
            (engine if name == "ours" else other).probabilities(part)
            taken_s[name] = clock() - began_s
        spent_s.append((taken_s["ours"], taken_s["theirs"]))
    counted = spent_s[1:]
    texts = texts_a_turn * len(counted)
    return Cost(
        against=against,
        cpu_us=round(sum(ours for ours, _ in counted) / texts * 1e6, 1),
        cpu_us_against=round(sum(theirs for _, theirs in counted) / texts * 1e6, 1),
        ratio=round(median(ours / theirs for ours, theirs in counted), 4),
    )
